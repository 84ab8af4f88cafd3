// SPDX-License-Identifier: Apache-2.0

// Package consilience talks to a Consilience server: it asks an ensemble of
// forecasters one question and gets one calibrated probability, inside a
// deadline.
//
//	client, err := consilience.Dial("127.0.0.1:50051")
//	if err != nil { ... }
//	defer client.Close()
//	prediction, err := client.Predict(ctx, consilience.ByID("polymarket-..."), nil)
//
// The messages are the contract's own, in consilience/v1.
package consilience

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"iter"
	"net"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	consiliencev1 "consilience/clients/go/consilience/v1"
)

// What a call gives the server to answer, and how much longer this side waits.
const (
	DefaultDeadline      = 2 * time.Second
	DefaultNetworkMargin = 500 * time.Millisecond
)

const providerKeyPrefix = "x-consilience-key-"

// serviceConfig repeats a call that found the server unavailable. Every
// question carries a request id, so a repetition is charged once.
const serviceConfig = `{
  "methodConfig": [{
    "name": [
      {"service": "consilience.v1.PredictService", "method": "Predict"},
      {"service": "consilience.v1.PredictService", "method": "Aggregate"},
      {"service": "consilience.v1.PredictService", "method": "GetQuestion"},
      {"service": "consilience.v1.PredictService", "method": "ListQuestions"},
      {"service": "consilience.v1.StreamService", "method": "StreamPredictions"}
    ],
    "retryPolicy": {
      "maxAttempts": 4,
      "initialBackoff": "0.05s",
      "maxBackoff": "0.5s",
      "backoffMultiplier": 2,
      "retryableStatusCodes": ["UNAVAILABLE"]
    }
  }],
  "retryThrottling": {"maxTokens": 20, "tokenRatio": 0.1}
}`

// Client is a connection to one server. Goroutines may share it.
type Client struct {
	connection *grpc.ClientConn
	predict    consiliencev1.PredictServiceClient
	stream     consiliencev1.StreamServiceClient
	settings   settings
}

type settings struct {
	deadline      time.Duration
	networkMargin time.Duration
	tls           *tls.Config
	metadata      metadata.MD
	secret        bool
	dial          []grpc.DialOption
}

// Option changes how a Client works.
type Option func(*settings)

// WithDeadline sets what every call gives the server to answer.
func WithDeadline(deadline time.Duration) Option {
	return func(s *settings) { s.deadline = deadline }
}

// WithNetworkMargin sets how much longer this side waits for an answer.
func WithNetworkMargin(margin time.Duration) Option {
	return func(s *settings) { s.networkMargin = margin }
}

// WithTLS encrypts the connection; give certificates for mutual TLS.
func WithTLS(config *tls.Config) Option {
	return func(s *settings) { s.tls = config }
}

// WithToken sends a bearer token with every call.
func WithToken(token string) Option {
	return func(s *settings) { s.metadata.Set("authorization", "Bearer "+token); s.secret = true }
}

// WithProviderKey sends a key of your own for a provider; it is used for your
// calls only and never stored.
func WithProviderKey(provider, key string) Option {
	return func(s *settings) { s.metadata.Set(providerKeyPrefix+provider, key); s.secret = true }
}

// WithDialOptions adds options of gRPC's own.
func WithDialOptions(options ...grpc.DialOption) Option {
	return func(s *settings) { s.dial = append(s.dial, options...) }
}

// Dial makes a client for the server at address, HOST:PORT. Nothing is sent
// before the first call. A secret without TLS is refused, except to this
// machine.
func Dial(address string, options ...Option) (*Client, error) {
	s := settings{deadline: DefaultDeadline, networkMargin: DefaultNetworkMargin, metadata: metadata.MD{}}
	for _, option := range options {
		option(&s)
	}
	if s.secret && s.tls == nil && !isLocal(address) {
		return nil, fmt.Errorf("a token or key would cross the network to %s in clear text: use WithTLS", address)
	}
	transport := insecure.NewCredentials()
	if s.tls != nil {
		transport = credentials.NewTLS(s.tls)
	}
	dial := append([]grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		grpc.WithDefaultServiceConfig(serviceConfig),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64 << 20)),
		grpc.WithUserAgent("consilience-go"),
	}, s.dial...)
	connection, err := grpc.NewClient(address, dial...)
	if err != nil {
		return nil, err
	}
	return &Client{
		connection: connection,
		predict:    consiliencev1.NewPredictServiceClient(connection),
		stream:     consiliencev1.NewStreamServiceClient(connection),
		settings:   s,
	}, nil
}

// Close ends the connection.
func (c *Client) Close() error { return c.connection.Close() }

// Connection is for the generated stubs, for what has no method here.
func (c *Client) Connection() *grpc.ClientConn { return c.connection }

// ByID is a question that the server's catalogue knows.
func ByID(id string) *consiliencev1.Question { return &consiliencev1.Question{Id: id} }

// Ask is a question of your own, to be answered yes or no.
func Ask(text string) *consiliencev1.Question { return &consiliencev1.Question{Text: text} }

// Predict asks an ensemble one question. Options may be nil. The earliest of
// ctx, options.Deadline and the client's deadline counts.
func (c *Client) Predict(
	ctx context.Context, question *consiliencev1.Question, options *consiliencev1.PredictOptions,
) (*consiliencev1.Prediction, error) {
	options, wait := c.timed(options)
	ctx, cancel := c.call(ctx, wait)
	defer cancel()
	response, err := c.predict.Predict(ctx, &consiliencev1.PredictRequest{
		Question: question, Options: options, RequestId: newID(),
	})
	if err != nil {
		return nil, errorOf(err)
	}
	return response.GetPrediction(), nil
}

// Stream asks one question and yields the events by which the answer forms:
// started, each member, the prediction. An error ends it.
func (c *Client) Stream(
	ctx context.Context, question *consiliencev1.Question, options *consiliencev1.PredictOptions,
) iter.Seq2[*consiliencev1.StreamPredictionsResponse, error] {
	return func(yield func(*consiliencev1.StreamPredictionsResponse, error) bool) {
		options, wait := c.timed(options)
		ctx, cancel := c.call(ctx, wait)
		defer cancel()
		events, err := c.stream.StreamPredictions(ctx, &consiliencev1.StreamPredictionsRequest{
			Question: question, Options: options, RequestId: newID(),
		})
		if err != nil {
			yield(nil, errorOf(err))
			return
		}
		receive(events, yield)
	}
}

// Aggregate pools forecasts that the caller brings along; see AggregateRequest.
func (c *Client) Aggregate(
	ctx context.Context, request *consiliencev1.AggregateRequest,
) (*consiliencev1.AggregateResponse, error) {
	ctx, cancel := c.call(ctx, c.settings.deadline)
	defer cancel()
	response, err := c.predict.Aggregate(ctx, request)
	return response, errorOf(err)
}

// Question is one question of the catalogue, with its resolution where that is
// known.
func (c *Client) Question(ctx context.Context, id string) (*consiliencev1.Question, error) {
	ctx, cancel := c.call(ctx, c.settings.deadline)
	defer cancel()
	response, err := c.predict.GetQuestion(ctx, &consiliencev1.GetQuestionRequest{QuestionId: id})
	if err != nil {
		return nil, errorOf(err)
	}
	return response.GetQuestion(), nil
}

// timed gives a copy of options with a deadline, and that deadline.
func (c *Client) timed(options *consiliencev1.PredictOptions) (*consiliencev1.PredictOptions, time.Duration) {
	timed := &consiliencev1.PredictOptions{}
	proto.Merge(timed, options)
	if timed.Deadline == nil {
		timed.Deadline = durationpb.New(c.settings.deadline)
	}
	return timed, timed.Deadline.AsDuration()
}

// call adds what every call carries: the deadline and the metadata.
func (c *Client) call(ctx context.Context, wait time.Duration) (context.Context, context.CancelFunc) {
	for key, values := range c.settings.metadata {
		for _, value := range values {
			ctx = metadata.AppendToOutgoingContext(ctx, key, value)
		}
	}
	return context.WithTimeout(ctx, wait+c.settings.networkMargin)
}

func newID() string {
	var id [16]byte
	rand.Read(id[:]) //nolint:errcheck // never fails
	return hex.EncodeToString(id[:])
}

func isLocal(address string) bool {
	if strings.HasPrefix(address, "unix:") {
		return true
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
