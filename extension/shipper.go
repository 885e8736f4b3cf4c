package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// shipper sends what waits in the ring, one body at a time, in a goroutine of its own. Others ask it to, and wait
// for it no longer than they want to; what it has begun then goes on, or is frozen and goes on later.
type shipper struct {
	ring     *ring
	remote   *remote
	client   *http.Client
	endpoint string
	key      string
	envelope envelope
	flushes  chan chan struct{}
	nudges   chan struct{}
	blocked  atomic.Int64 // Unix ns; until then Nightjar does not want to hear from us.
	ends     atomic.Int64 // Unix ns; when the environment ends, once that is known.
	underway atomic.Int64 // Events whose body is on its way.
	busy     atomic.Bool
	eager    atomic.Bool   // What comes in may be sent at once, as nobody will be held for it.
	ready    chan struct{} // Closed once the key is known.
	ids      ids
	most     int // Events in a body; fewer while Nightjar finds bodies too large.
	failures int // One after the other.
	lastUse  time.Time
	warned   bool // Of an address that answers, and not like Nightjar.
}

// newShipper makes one that ships nothing until it has a key and runs.
func newShipper(r *ring, remote *remote, client *http.Client, endpoint string) *shipper {
	return &shipper{
		ring: r, remote: remote, client: client, endpoint: endpoint, most: mostEvents,
		flushes: make(chan chan struct{}), nudges: make(chan struct{}, 1), ready: make(chan struct{}),
	}
}

const (
	mostEvents  = 500
	mostBytes   = 512 << 10
	soonBytes   = 256 << 10 // So much is worth a request at once.
	soon        = time.Second
	attemptTime = 10 * time.Second
	firstWait   = 200 * time.Millisecond
	longestWait = 10 * time.Second
	lifetime    = 24 * time.Hour   // No environment lives so long.
	staleAfter  = 50 * time.Second // Hardly anybody keeps an idle connection longer.
)

// verdict is what becomes of a body.
type verdict int

const (
	delivered verdict = iota
	later             // as it is, after a pause
	smaller           // in two
	never
	unwelcome // nor anything else from this key
)

// run never returns.
func (s *shipper) run() {
	close(s.ready)
	timer := time.NewTimer(time.Hour)
	armed := false
	for {
		select {
		case done := <-s.flushes:
			s.ship()
			close(done)
		case <-s.nudges:
			if s.ring.bytes() >= soonBytes || s.eager.Load() && s.rested() >= soon {
				s.ship()
			}
		case <-timer.C:
			armed = false
			s.ship()
		}
		if !armed && !s.ring.isIdle() {
			timer.Reset(max(soon, time.Until(time.Unix(0, s.blocked.Load()))))
			armed = true
		}
	}
}

// nudge says that something came in.
func (s *shipper) nudge() {
	select {
	case s.nudges <- struct{}{}:
	default:
	}
}

// flush waits until all is sent that can be sent now, or until the context ends.
func (s *shipper) flush(ctx context.Context) {
	if s.isBlocked() || !s.isReady() || !s.isPending() {
		return
	}
	done := make(chan struct{})
	select {
	case s.flushes <- done:
	case <-ctx.Done():
		return
	}
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// drain sends all that is left, and tries again for as long as that makes sense before the deadline.
func (s *shipper) drain(ctx context.Context) {
	deadline, _ := ctx.Deadline()
	s.ends.Store(deadline.UnixNano())
	select {
	case <-s.ready:
	case <-ctx.Done():
	}
	for s.isPending() && ctx.Err() == nil {
		s.flush(ctx)
		free := time.Unix(0, s.blocked.Load())
		if free.After(deadline) {
			return
		}
		select {
		case <-time.After(time.Until(free)):
		case <-ctx.Done():
		}
	}
}

// stop ends it for the rest of this environment's life.
func (s *shipper) stop() {
	s.remote.stop()
	s.blocked.Store(time.Now().Add(lifetime).UnixNano())
}

// isReady tells whether there is a key to send with.
func (s *shipper) isReady() bool {
	select {
	case <-s.ready:
		return true
	default:
		return false
	}
}

// isPending tells whether something waits or is under way.
func (s *shipper) isPending() bool { return s.busy.Load() || !s.ring.isIdle() }

// rested tells for how long nothing was sent, by the wall clock: the other, and with it every timer, may stand still
// while the environment is frozen, which is most of the time.
func (s *shipper) rested() time.Duration { return time.Now().Round(0).Sub(s.lastUse) }

func (s *shipper) isBlocked() bool { return time.Now().UnixNano() < s.blocked.Load() }

// ship sends until there is nothing more, or Nightjar wants a pause.
func (s *shipper) ship() {
	s.busy.Store(true)
	defer s.busy.Store(false)
	for !s.isBlocked() {
		taken := s.ring.take(s.most, mostBytes)
		if count := s.ring.lost(); count > 0 {
			taken = append(taken, own(&s.ids, "nightjar.dropped", map[string]int{"count": count}, count))
		}
		if len(taken) == 0 {
			return
		}
		judged, wait := s.post(taken)
		switch {
		case judged == later || judged == smaller && len(taken) > 1:
			s.ring.back(taken)
		case judged != delivered:
			s.ring.lose(taken...)
		}
		switch judged {
		case delivered:
			s.most, s.failures = min(mostEvents, s.most*2), 0
		case smaller:
			if s.most = max(1, len(taken)/2); len(taken) == 1 {
				s.rest(s.jitter())
			}
		case never:
			s.rest(s.jitter()) // Or the report of what was lost would be lost the same way, without end.
		case later:
			s.rest(wait)
		case unwelcome:
			s.stop()
		}
	}
}

// rest sends nothing for a while.
func (s *shipper) rest(wait time.Duration) {
	s.failures++
	s.blocked.Store(time.Now().Add(wait).UnixNano())
}

// post sends one body. Ids make it harmless when Nightjar had it already and only the answer was lost.
func (s *shipper) post(entries []entry) (verdict, time.Duration) {
	ctx, cancel := context.WithDeadline(context.Background(), s.deadline())
	defer cancel()
	s.underway.Store(int64(counts(entries)))
	defer s.underway.Store(0)
	if s.rested() > staleAfter {
		s.client.CloseIdleConnections()
	}
	body, encoding := s.envelope.body(entries, time.Now())
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.endpoint, bytes.NewReader(body))
	if err != nil {
		return never, 0
	}
	request.Header = http.Header{
		"Authorization":     {"Bearer " + s.key},
		"Content-Type":      {"application/json"},
		"Content-Encoding":  {encoding},
		"User-Agent":        {"nightjar-extension/" + version},
		"X-Idempotency-Key": {}, // Not sent: net/http then tries again by itself when a kept connection was dead.
	}
	response, err := s.client.Do(request)
	s.lastUse = time.Now().Round(0)
	if err != nil {
		return later, s.jitter()
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	return s.judge(response, text)
}

func (s *shipper) judge(response *http.Response, text []byte) (verdict, time.Duration) {
	switch response.StatusCode {
	case http.StatusOK, http.StatusAccepted:
		var told struct {
			Config wishes `json:"config"`
		}
		if json.Unmarshal(text, &told) == nil {
			s.remote.heed(told.Config, time.Now())
		}
		return delivered, 0
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds > 0 {
			return later, min(time.Duration(seconds)*time.Second, time.Hour)
		}
		return later, s.jitter()
	case http.StatusRequestEntityTooLarge:
		return smaller, 0
	case http.StatusUnauthorized, http.StatusForbidden:
		warn(fmt.Sprintf("Nightjar refuses the ingest key (%d); nothing is sent from here.", response.StatusCode))
		return unwelcome, 0
	}
	if !s.warned {
		s.warned = true
		warn(fmt.Sprintf("%s answers %d, which is not what Nightjar would say to telemetry.", s.endpoint, response.StatusCode))
	}
	return never, 0
}

// jitter is a pause between 0.2 s and a limit that doubles up to 10 s.
func (s *shipper) jitter() time.Duration {
	limit := min(longestWait, firstWait<<min(s.failures, 6))
	return firstWait + time.Duration(rand.Int64N(int64(limit-firstWait)+1))
}

// deadline is when the attempt that begins now must end.
func (s *shipper) deadline() time.Time {
	whole := time.Now().Add(attemptTime)
	if ends := s.ends.Load(); ends > 0 && time.Unix(0, ends).Before(whole) {
		return time.Unix(0, ends)
	}
	return whole
}
