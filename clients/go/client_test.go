// SPDX-License-Identifier: Apache-2.0

package consilience

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	consiliencev1 "consilience/clients/go/consilience/v1"
)

// answering notes what reaches it and fails as often as it is told.
type answering struct {
	consiliencev1.UnimplementedPredictServiceServer
	consiliencev1.UnimplementedStreamServiceServer

	mutex    sync.Mutex
	failures []error
	ids      []string
	metadata metadata.MD
	left     time.Duration
	deadline time.Duration
}

func (a *answering) Predict(
	ctx context.Context, request *consiliencev1.PredictRequest,
) (*consiliencev1.PredictResponse, error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.ids = append(a.ids, request.GetRequestId())
	a.metadata, _ = metadata.FromIncomingContext(ctx)
	end, _ := ctx.Deadline()
	a.left, a.deadline = time.Until(end), request.GetOptions().GetDeadline().AsDuration()
	if len(a.failures) > 0 {
		failure := a.failures[0]
		a.failures = a.failures[1:]
		return nil, failure
	}
	return &consiliencev1.PredictResponse{Prediction: &consiliencev1.Prediction{Outcome: "YES"}}, nil
}

func (a *answering) StreamPredictions(
	_ *consiliencev1.StreamPredictionsRequest,
	stream grpc.ServerStreamingServer[consiliencev1.StreamPredictionsResponse],
) error {
	for range 3 {
		if err := stream.Send(&consiliencev1.StreamPredictionsResponse{}); err != nil {
			return err
		}
	}
	return status.Error(codes.NotFound, "no more")
}

func serve(t *testing.T, options ...Option) (*Client, *answering) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server, served := grpc.NewServer(), &answering{}
	consiliencev1.RegisterPredictServiceServer(server, served)
	consiliencev1.RegisterStreamServiceServer(server, served)
	go server.Serve(listener) //nolint:errcheck // ends with the test
	t.Cleanup(server.Stop)
	client, err := Dial(listener.Addr().String(), options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client, served
}

func TestEveryCallHasADeadlineAndAnID(t *testing.T) {
	client, served := serve(t, WithToken("t0ken"), WithProviderKey("openai", "k"))
	prediction, err := client.Predict(context.Background(), Ask("Will it?"), nil)
	if err != nil || prediction.GetOutcome() != "YES" {
		t.Fatal(prediction, err)
	}
	if served.left <= 2*time.Second || served.left > 2600*time.Millisecond || served.deadline != 2*time.Second {
		t.Error(served.left, served.deadline)
	}
	if len(served.ids) != 1 || len(served.ids[0]) != 32 {
		t.Error(served.ids)
	}
	if served.metadata.Get("authorization")[0] != "Bearer t0ken" ||
		served.metadata.Get("x-consilience-key-openai")[0] != "k" {
		t.Error(served.metadata)
	}
}

func TestARepetitionCarriesTheSameID(t *testing.T) {
	client, served := serve(t)
	served.failures = []error{status.Error(codes.Unavailable, "restarting"), status.Error(codes.Unavailable, "")}
	if _, err := client.Predict(context.Background(), ByID("q1"), nil); err != nil {
		t.Fatal(err)
	}
	if len(served.ids) != 3 || served.ids[0] != served.ids[1] || served.ids[1] != served.ids[2] {
		t.Error(served.ids)
	}
}

func TestErrorsHaveTheirDetails(t *testing.T) {
	client, served := serve(t)
	bad, _ := status.New(codes.InvalidArgument, "bad").WithDetails(
		&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{
			{Field: "question.text", Description: "must not be empty"},
		}},
		&errdetails.ErrorInfo{Domain: "consilience", Reason: "INVALID_REQUEST"},
	)
	served.failures = []error{bad.Err()}
	_, err := client.Predict(context.Background(), Ask(""), nil)
	var failure *Error
	if !errors.As(err, &failure) || failure.Reason != "INVALID_REQUEST" || len(served.ids) != 1 {
		t.Fatal(err, served.ids)
	}
	if failure.Violations[0] != (Violation{"question.text", "must not be empty"}) {
		t.Error(failure.Violations)
	}
}

func TestAStreamYieldsUntilItsError(t *testing.T) {
	client, _ := serve(t)
	events := 0
	var last error
	for event, err := range client.Stream(context.Background(), Ask("Will it?"), nil) {
		if err != nil {
			last = err
			break
		}
		if event != nil {
			events++
		}
	}
	var failure *Error
	if events != 3 || !errors.As(last, &failure) || failure.Code != codes.NotFound {
		t.Error(events, last)
	}
}

func TestNoSecretLeavesInClearText(t *testing.T) {
	if _, err := Dial("example.org:443", WithToken("t0ken")); err == nil {
		t.Error("a token would have left in clear text")
	}
	for _, address := range []string{"localhost:1", "127.0.0.1:1", "[::1]:1", "unix:/run/x.sock"} {
		if !isLocal(address) {
			t.Error(address)
		}
	}
}
