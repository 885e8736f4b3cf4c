package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// extension is the loop over Lambda's events, and what it works with.
type extension struct {
	api      *lambda
	settings config
	client   *http.Client
	ring     *ring
	remote   *remote
	progress *progress
	shipper  *shipper
	meter    *meter
	rhythm   rhythm
	ids      ids
	last     string // request id of the invocation before
	began    bool
	broken   atomic.Bool
}

func (e *extension) run(ctx context.Context) {
	if e.shipper.envelope.function.ARN != "" {
		e.begin()
	}
	for {
		next, err := e.api.next(ctx)
		if err != nil {
			warn("Lambda does not answer any more: " + err.Error())
			e.api.exit(ctx, "Extension.NextFailed")
			return
		}
		if next.Type == shutdown {
			e.safely(func() { e.shutdown(ctx, next) })
			return
		}
		if !e.broken.Load() {
			e.safely(func() { e.invoke(ctx, next) })
		}
	}
}

// safely does some work; a mistake of ours in it ends the telling, and not the function.
func (e *extension) safely(work func()) {
	defer func() {
		if mistake := recover(); mistake != nil {
			warn(fmt.Sprintf("this is a mistake of Nightjar's, please report it: %v; nothing is sent from here.", mistake))
			e.broken.Store(true)
			e.shipper.stop()
		}
	}()
	work()
}

// begin starts what may take its time, once we know whose telemetry it is.
func (e *extension) begin() {
	e.began = true
	go e.safely(func() {
		e.ring.push(own(&ids{}, "nightjar.size", measureSize(codeRoot, layersRoot, measureTime), 0))
	})
	go e.safely(e.ship)
}

// ship begins as soon as there is a key, and goes on for as long as the environment lives.
func (e *extension) ship() {
	key, err := e.findKey()
	if err != nil || key == "" {
		warn(fmt.Sprintf("no ingest key: %v; nothing is sent from here.", err))
		e.shipper.stop()
		close(e.shipper.ready)
		return
	}
	e.shipper.key = key
	e.shipper.run()
}

func (e *extension) findKey() (string, error) {
	if e.settings.keyARN == "" {
		return e.settings.key, nil
	}
	for wait := firstWait; ; wait = min(2*wait, longestWait) {
		ctx, cancel := context.WithTimeout(context.Background(), attemptTime)
		key, err := fetchKey(ctx, e.client, e.settings.keyARN, time.Now())
		cancel()
		if !errors.Is(err, errPassing) {
			return key, err
		}
		time.Sleep(firstWait + rand.N(wait))
	}
}

// invoke returns when the environment may freeze: at once while invocations follow each other fast, otherwise when
// all is told, at the latest shortly after the runtime was done.
func (e *extension) invoke(ctx context.Context, next event) {
	if !e.began {
		e.shipper.envelope.function.ARN = unqualified(next.ARN)
		e.begin()
	}
	e.rhythm.beat(time.Now())
	e.measure()
	if next.RequestID == e.last {
		e.progress.again() // Lambda tries an asynchronous invocation again under its old name.
	}
	e.last = next.RequestID
	hopeless := e.remote.paused(time.Now()) || e.shipper.isBlocked() || !e.shipper.isReady()
	free := e.settings.grace == 0 || e.rhythm.isFast() || hopeless
	e.shipper.eager.Store(free)
	if free {
		e.shipper.nudge() // What the one before left may have been frozen since.
		e.meter.ended(0)
		return
	}
	// The function's time is ours too: who asks for the next event behind its end makes it a timeout.
	ctx, cancel := context.WithDeadline(ctx, next.deadline().Add(-margin))
	defer cancel()
	if !e.progress.wait(ctx, next.RequestID) {
		e.meter.ended(0)
		return // The function ran out of time; its shutdown comes next.
	}
	done := time.Now()
	ctx, cancel = context.WithTimeout(ctx, e.settings.grace)
	defer cancel()
	e.shipper.flush(ctx)
	e.meter.ended(time.Since(done))
}

// measure tells what the environment used until now.
func (e *extension) measure() {
	if e.last == "" {
		return
	}
	if used, due := e.meter.measure(e.last, time.Now()); due {
		e.ring.push(own(&e.ids, "nightjar.usage", used, 0))
	}
}

// shutdown waits a little for the last report, and sends all it can before the environment ends.
func (e *extension) shutdown(ctx context.Context, next event) {
	ctx, cancel := context.WithDeadline(ctx, next.deadline().Add(-lastWords))
	defer cancel()
	patience, stop := context.WithTimeout(ctx, lastReport)
	defer stop()
	e.progress.settled(patience)
	e.measure()
	e.shipper.drain(ctx)
	if e.remote.isStopped() {
		return // Of which somebody has been told already.
	}
	if lost := e.ring.undelivered() + int(e.shipper.underway.Load()); lost > 0 {
		warn(fmt.Sprintf("%d events could not be delivered.", lost))
	}
}

// unqualified cuts the version or alias off the ARN of a function.
func unqualified(arn string) string {
	parts := strings.Split(arn, ":")
	return strings.Join(parts[:min(7, len(parts))], ":")
}
