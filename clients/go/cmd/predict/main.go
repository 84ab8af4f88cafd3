// SPDX-License-Identifier: Apache-2.0

// Predict asks a Consilience server one question and prints who said what.
//
//	go run ./cmd/predict -question polymarket-4zgncn-20251026
//	go run ./cmd/predict -json "Will it rain in Oslo tomorrow?"
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"

	consilience "consilience/clients/go"
	consiliencev1 "consilience/clients/go/consilience/v1"
)

func main() {
	server := flag.String("server", "127.0.0.1:50051", "where the server listens")
	id := flag.String("question", "", "id of a question of the catalogue; else give the text")
	ensemble := flag.String("ensemble", "", "who is asked; empty: the default ensemble")
	pooling := flag.String("pooling", "", "how answers become one; empty: as configured")
	deadline := flag.Duration("deadline", consilience.DefaultDeadline, "when the answer is due")
	asJSON := flag.Bool("json", false, "print the contract's JSON instead of a table")
	flag.Parse()

	text := strings.Join(flag.Args(), " ")
	if (*id == "") == (text == "") {
		fmt.Fprintln(os.Stderr, "predict: give either -question ID or a text")
		os.Exit(2)
	}
	question := &consiliencev1.Question{Id: *id, Text: text}
	options := &consiliencev1.PredictOptions{Ensemble: *ensemble, Pooling: *pooling}
	if err := run(os.Stdout, *server, question, options, *deadline, *asJSON); err != nil {
		fmt.Fprintln(os.Stderr, "predict:", explain(err, *server))
		os.Exit(1)
	}
}

func run(
	out io.Writer,
	server string,
	question *consiliencev1.Question,
	options *consiliencev1.PredictOptions,
	deadline time.Duration,
	asJSON bool,
) error {
	client, err := consilience.Dial(server, consilience.WithDeadline(deadline))
	if err != nil {
		return err
	}
	defer client.Close()
	prediction, err := client.Predict(context.Background(), question, options)
	if err != nil {
		return err
	}
	if asJSON {
		_, err = fmt.Fprintln(out, protojson.MarshalOptions{UseProtoNames: true, Multiline: true}.Format(prediction))
		return err
	}
	return table(out, prediction)
}

func table(out io.Writer, prediction *consiliencev1.Prediction) error {
	rows := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(rows, "MEMBER\tPROBABILITY\tWEIGHT\tCONTRIBUTION")
	for _, member := range prediction.GetMembers() {
		if absent := member.GetAbsent(); absent != nil {
			fmt.Fprintf(rows, "%s\t%s\t\t\n", member.GetMember(), reason(absent))
			continue
		}
		fmt.Fprintf(rows, "%s\t%s\t%.1f%%\t%+.1f pp\n", member.GetMember(),
			first(member.GetForecast().GetProbabilities()), 100*member.GetWeight(), 100*member.GetContribution())
	}
	fmt.Fprintf(rows, "ensemble\t%s\t\t\n", first(prediction.GetProbabilities()))
	if err := rows.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\n%s %.1f%%  %s: %s\n", prediction.GetOutcome(), 100*prediction.GetConfidence(),
		strings.TrimPrefix(prediction.GetDecision().GetAction().String(), "DECISION_ACTION_"),
		prediction.GetDecision().GetReason())
	return err
}

// first is the probability of the first outcome, for a binary question YES.
func first(probabilities []float64) string {
	if len(probabilities) == 0 {
		return "n/a"
	}
	return fmt.Sprintf("%.1f%%", 100*probabilities[0])
}

func reason(absent *consiliencev1.Absent) string {
	return strings.ToLower(strings.TrimPrefix(absent.GetReason().String(), "ABSENT_REASON_"))
}

func explain(err error, server string) string {
	var failure *consilience.Error
	if errors.As(err, &failure) && failure.Code == codes.Unavailable && failure.Reason == "" {
		return "no server answers at " + server + "; start one with: consilience serve"
	}
	return err.Error()
}
