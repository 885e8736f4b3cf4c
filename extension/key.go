package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"time"
)

// store is where a key may be kept: how AWS calls it in addresses, what to ask for, and where the answer has it.
type store struct {
	service, target string
	question        func(arn string) any
	answer          func(text []byte) (string, error)
}

var stores = map[string]store{
	"secretsmanager": {
		"secretsmanager", "secretsmanager.GetSecretValue",
		func(arn string) any { return map[string]string{"SecretId": arn} },
		func(text []byte) (string, error) {
			var told struct{ SecretString string }
			err := json.Unmarshal(text, &told)
			return told.SecretString, err
		},
	},
	"ssm": {
		"ssm", "AmazonSSM.GetParameter",
		func(arn string) any { return map[string]any{"Name": arn, "WithDecryption": true} },
		func(text []byte) (string, error) {
			var told struct{ Parameter struct{ Value string } }
			err := json.Unmarshal(text, &told)
			return told.Parameter.Value, err
		},
	},
}

// errPassing is a trouble that another try may not have: the environment was frozen, or many started at once.
var errPassing = errors.New("not now")

var passing = regexp.MustCompile(`Throttl|TooManyRequests|RequestLimit|Expired|expired`)

// fetchKey asks Secrets Manager or the Parameter Store, whichever the ARN names, with the function's own role.
// A secret may be the key itself, or an object whose member NIGHTJAR_KEY is.
func fetchKey(ctx context.Context, client *http.Client, arn string, now time.Time) (string, error) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" || stores[parts[2]].service == "" {
		return "", errors.New("NIGHTJAR_KEY_ARN must be the ARN of a secret or of a parameter")
	}
	from, region := stores[parts[2]], parts[3]
	body, _ := json.Marshal(from.question(arn))
	url := address(from.service, parts[1], region)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	request.Header.Set("X-Amz-Target", from.target)
	sign(request, body, from.service, region, now)
	response, err := client.Do(request)
	if err != nil {
		return "", errors.Join(errPassing, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 128<<10))
	if err != nil {
		return "", errors.Join(errPassing, err)
	}
	if response.StatusCode != http.StatusOK {
		if passing.Match(text) || response.StatusCode >= http.StatusInternalServerError {
			return "", errPassing
		}
		return "", fmt.Errorf("%s answered %d: %.200s", from.target, response.StatusCode, text)
	}
	value, err := from.answer(text)
	var members struct {
		Key string `json:"NIGHTJAR_KEY"`
	}
	if json.Unmarshal([]byte(value), &members) == nil && members.Key != "" {
		value = members.Key
	}
	return strings.TrimSpace(value), err
}

func address(service, partition, region string) string {
	if own := os.Getenv("AWS_ENDPOINT_URL"); own != "" {
		return own
	}
	domain := "amazonaws.com"
	if partition == "aws-cn" {
		domain += ".cn"
	}
	return "https://" + service + "." + region + "." + domain + "/"
}

// sign adds an AWS Signature Version 4 with the credentials of the environment.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
func sign(request *http.Request, body []byte, service, region string, now time.Time) {
	moment := now.UTC().Format("20060102T150405Z")
	day := moment[:8]
	request.Header.Set("X-Amz-Date", moment)
	names := "content-type;host;x-amz-date;x-amz-target"
	if token := os.Getenv("AWS_SESSION_TOKEN"); token != "" {
		request.Header.Set("X-Amz-Security-Token", token)
		names = "content-type;host;x-amz-date;x-amz-security-token;x-amz-target"
	}
	canonical := "POST\n" + max(request.URL.EscapedPath(), "/") + "\n\n"
	for _, name := range strings.Split(names, ";") {
		value := request.Header.Get(name)
		if name == "host" {
			value = request.URL.Host
		}
		canonical += name + ":" + value + "\n"
	}
	canonical += "\n" + names + "\n" + hash(body)
	scope := day + "/" + region + "/" + service + "/aws4_request"
	text := "AWS4-HMAC-SHA256\n" + moment + "\n" + scope + "\n" + hash([]byte(canonical))
	key := []byte("AWS4" + os.Getenv("AWS_SECRET_ACCESS_KEY"))
	for _, part := range []string{day, region, service, "aws4_request"} {
		key = keyed(key, part)
	}
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+os.Getenv("AWS_ACCESS_KEY_ID")+"/"+scope+
		", SignedHeaders="+names+", Signature="+hex.EncodeToString(keyed(key, text)))
}

func hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func keyed(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}
