package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// receiver takes what Lambda posts, gives each event its id and puts it into the ring.
type receiver struct {
	ring     *ring
	progress *progress
	remote   *remote
	mask     masker
	nudge    func()
	ids      ids
	mu       sync.Mutex // One body at a time, so that events keep their order.
}

// mostPosted bounds what Lambda posts at once, which is 1 MiB at most.
const mostPosted = 16 << 20

// head is as much of an event as must be known of every one.
type head struct {
	Time string `json:"time"`
	Type string `json:"type"`
}

// outcome is what the end of an invocation says.
type outcome struct {
	Record struct {
		RequestID string `json:"requestId"`
	} `json:"record"`
}

// listen opens a port in the environment and tells its address.
func listen(host string) (net.Listener, string, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return nil, "", err
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	return listener, "http://" + net.JoinHostPort(host, port), err
}

// ServeHTTP answers 200 after everything that can be kept is kept: what Lambda sends again would be the same. Only of
// a body that breaks off nothing is kept, because Lambda sends it again.
func (r *receiver) ServeHTTP(answer http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(io.LimitReader(request.Body, mostPosted))
	if err != nil {
		answer.WriteHeader(http.StatusInternalServerError)
		return
	}
	r.read(body, time.Now())
	r.nudge()
}

// read takes a JSON array of events. What stands behind a mistake in it is lost, and counted as one event.
func (r *receiver) read(body []byte, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	decoder := json.NewDecoder(bytes.NewReader(body))
	if open, _ := decoder.Token(); open != json.Delim('[') {
		r.ring.lose(entry{counts: 1})
		return
	}
	for decoder.More() {
		var raw json.RawMessage
		if decoder.Decode(&raw) != nil {
			r.ring.lose(entry{counts: 1})
			return
		}
		r.take(raw, now)
	}
}

func (r *receiver) take(raw json.RawMessage, now time.Time) {
	var known head
	if json.Unmarshal(raw, &known) != nil || known.Type == "" || known.Time == "" {
		r.ring.lose(entry{counts: 1})
		return
	}
	switch known.Type {
	case "platform.start":
		r.progress.started(request(raw))
	case "platform.runtimeDone":
		defer r.progress.done(request(raw)) // Only once it is in the ring may somebody flush.
	case "platform.report":
		defer r.progress.reported(request(raw))
	case "function", "extension":
		if r.remote.skipsLines(r.progress.current()) {
			return
		}
		raw = r.mask.event(raw)
	}
	if !r.remote.paused(now) {
		r.ring.push(entry{identified(&r.ids, raw, now), 1})
	}
}

// identified writes the id as the last field of an event, where it counts even if there should be another one. The
// other bytes stay as they are.
func identified(ids *ids, raw []byte, now time.Time) []byte {
	event := make([]byte, 0, len(raw)+len(`,"id":""}`)+36)
	event = append(event, bytes.TrimRight(raw, " \t\r\n")...)
	event = append(event[:len(event)-1], `,"id":"`...)
	event = ids.append(event, now)
	return append(event, `"}`...)
}

func request(raw []byte) string {
	var ended outcome
	_ = json.Unmarshal(raw, &ended)
	return ended.Record.RequestID
}
