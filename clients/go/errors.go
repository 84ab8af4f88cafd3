// SPDX-License-Identifier: Apache-2.0

package consilience

import (
	"fmt"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const domain = "consilience"

// Error is a status of the server with its details. Find it with errors.As.
type Error struct {
	// Code is gRPC's.
	Code codes.Code
	// Message is one sentence for people.
	Message string
	// Reason comes from the closed list of the contract; empty where the error
	// was found on this side.
	Reason string
	// Metadata says more about the reason, by name.
	Metadata map[string]string
	// Violations name the fields of a bad request and the mend.
	Violations []Violation
	// RetryAfter says when to come back; 0: not said.
	RetryAfter time.Duration

	cause error
}

// Violation is one broken rule.
type Violation struct{ Field, Description string }

// Error is the message with its code.
func (e *Error) Error() string {
	if len(e.Violations) == 0 {
		return fmt.Sprintf("%s: %s", e.Code, e.Message)
	}
	parts := make([]string, len(e.Violations))
	for i, violation := range e.Violations {
		parts[i] = violation.Field + ": " + violation.Description
	}
	return fmt.Sprintf("%s: %s", e.Code, strings.Join(parts, "; "))
}

// Unwrap gives gRPC's own error.
func (e *Error) Unwrap() error { return e.cause }

// errorOf turns an error of gRPC into an Error; nil stays nil.
func errorOf(err error) error {
	if err == nil {
		return nil
	}
	state := status.Convert(err)
	found := &Error{Code: state.Code(), Message: state.Message(), cause: err}
	for _, detail := range state.Details() {
		found.take(detail)
	}
	return found
}

func (e *Error) take(detail any) {
	switch detail := detail.(type) {
	case *errdetails.ErrorInfo:
		if detail.GetDomain() == domain {
			e.Reason, e.Metadata = detail.GetReason(), detail.GetMetadata()
		}
	case *errdetails.BadRequest:
		for _, each := range detail.GetFieldViolations() {
			e.Violations = append(e.Violations, Violation{each.GetField(), each.GetDescription()})
		}
	case *errdetails.RetryInfo:
		e.RetryAfter = detail.GetRetryDelay().AsDuration()
	}
}
