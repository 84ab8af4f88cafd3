// SPDX-License-Identifier: Apache-2.0

package consilience

import (
	"errors"
	"io"

	"google.golang.org/grpc"
)

// receive yields the messages of a stream until it ends or the caller has enough.
func receive[T any](stream grpc.ServerStreamingClient[T], yield func(*T, error) bool) {
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			yield(nil, errorOf(err))
			return
		}
		if !yield(message, nil) {
			return
		}
	}
}
