package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// lambda is the API that the execution environment has for extensions.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
type lambda struct {
	host   string // of AWS_LAMBDA_RUNTIME_API
	id     string // ours, after register
	client http.Client
}

// registration is what Lambda tells of the function.
type registration struct {
	FunctionName    string `json:"functionName"`
	FunctionVersion string `json:"functionVersion"`
	AccountID       string `json:"accountId"`
}

// event is what next returns. A shutdown has a reason, which may be one that nobody documented.
type event struct {
	Type       string `json:"eventType"`
	DeadlineMs int64  `json:"deadlineMs"`
	RequestID  string `json:"requestId"`
	ARN        string `json:"invokedFunctionArn"`
	Reason     string `json:"shutdownReason"`
}

func (e event) deadline() time.Time { return time.UnixMilli(e.DeadlineMs) }

const (
	invoke   = "INVOKE"
	shutdown = "SHUTDOWN"
)

// errUnsupported says that this host has no Telemetry API, as AWS's emulator of the runtime has none.
var errUnsupported = errors.New("this host has no Telemetry API")

// newLambda never goes through a proxy: the address is one inside of the environment.
func newLambda(host string) *lambda {
	return &lambda{host: host, client: http.Client{Transport: &http.Transport{}}}
}

// register makes us known under the name of our file, which Lambda checks.
func (l *lambda) register(ctx context.Context, name string, events ...string) (registration, error) {
	var known registration
	body, _ := json.Marshal(map[string][]string{"events": events})
	header := http.Header{"Lambda-Extension-Name": {name}, "Lambda-Extension-Accept-Feature": {"accountId"}}
	told, err := l.call(ctx, http.MethodPost, "/2020-01-01/extension/register", header, body)
	if err != nil {
		return known, err
	}
	l.id = told.header.Get("Lambda-Extension-Identifier")
	return known, json.Unmarshal(told.body, &known)
}

// next waits for the next event, and lets the environment freeze meanwhile.
func (l *lambda) next(ctx context.Context) (event, error) {
	var e event
	told, err := l.call(ctx, http.MethodGet, "/2020-01-01/extension/event/next", nil, nil)
	if err != nil {
		return e, err
	}
	return e, json.Unmarshal(told.body, &e)
}

// exit says why we leave, before we do; what Lambda answers changes nothing.
func (l *lambda) exit(ctx context.Context, kind string) {
	header := http.Header{"Lambda-Extension-Function-Error-Type": {kind}}
	_, _ = l.call(ctx, http.MethodPost, "/2020-01-01/extension/exit/error", header, []byte("{}"))
}

// subscribe asks for telemetry at the address. It is sent as soon as 25 ms after the first event, the least there is,
// so that the end of an invocation is known while it is still worth telling.
// https://docs.aws.amazon.com/lambda/latest/dg/telemetry-api.html
func (l *lambda) subscribe(ctx context.Context, address string, streams []string) error {
	body, _ := json.Marshal(map[string]any{
		"schemaVersion": "2022-12-13",
		"types":         streams,
		"buffering":     map[string]int{"maxItems": 1000, "maxBytes": 262144, "timeoutMs": 25},
		"destination":   map[string]string{"protocol": "HTTP", "URI": address},
	})
	told, err := l.call(ctx, http.MethodPut, "/2022-07-01/telemetry", nil, body)
	if told.status == http.StatusAccepted {
		return errUnsupported
	}
	return err
}

// answer is a successful one.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (l *lambda) call(ctx context.Context, method, path string, header http.Header, body []byte) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://"+l.host+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	for name, values := range header {
		request.Header[name] = values
	}
	if l.id != "" {
		request.Header.Set("Lambda-Extension-Identifier", l.id)
	}
	response, err := l.client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, err
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return answer{}, fmt.Errorf("%s answered %d: %.200s", path, response.StatusCode, bytes.TrimSpace(text))
	}
	return answer{response.StatusCode, response.Header, text}, nil
}
