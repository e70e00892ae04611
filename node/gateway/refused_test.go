package gateway

import (
	"fmt"
	"strings"
	"testing"
)

func TestRequestsThatAreWrongAreRefused(t *testing.T) {
	one := func(datatype, shape, data string) string {
		return fmt.Sprintf(`{"inputs":[{"name":"x","datatype":"%s","shape":%s,"data":%s}]}`, datatype, shape, data)
	}
	good := one("INT32", "[2]", "[1,2]")
	with := func(parameters string) string { return good[:1] + `"parameters":` + parameters + "," + good[1:] }
	many := `{"inputs":[` + strings.Repeat(`{},`, maxTensors) + `{}]}`
	for _, x := range []struct {
		name, path, body string
		headers          []string
		status           int
		reason           string
	}{
		{"fine", "echo", good, nil, 200, ""},
		{"key twice", "echo", `{"inputs":[{"name":"x","datatype":"INT32","shape":[9],"shape":[1],"data":[1]}]}`, nil, 200, ""},
		{"deflate and more", "echo", squeezed("deflate", good) + "x", []string{"Content-Encoding: deflate"}, 400, ReasonMalformed},
		{"null parameters", "echo", with("null"), nil, 200, ""},
		{"price as a number", "echo", with(`{"max_price":12}`), nil, 200, ""},
		{"empty", "echo", "", nil, 400, ReasonMalformed},
		{"no JSON", "echo", "{", nil, 400, ReasonMalformed},
		{"list", "echo", "[]", nil, 400, ReasonMalformed},
		{"deep", "echo", strings.Repeat("[", 1000), nil, 400, ReasonMalformed},
		{"deep data", "echo", one("INT32", "[1]", strings.Repeat("[", 40)+"1"+strings.Repeat("]", 40)), nil, 400, ReasonMalformed},
		{"many inputs", "echo", many, nil, 400, ReasonMalformed},
		{"long shape", "echo", one("INT32", "[1"+strings.Repeat(",1", 999)+"]", "[1]"), nil, 400, ReasonMalformed},
		{"long id", "echo", `{"id":"` + strings.Repeat("x", 300) + `",` + good[1:], nil, 400, ReasonMalformed},
		{"no inputs", "echo", "{}", nil, 400, ReasonTensor},
		{"other input", "echo", strings.Replace(good, `"x"`, `"z"`, 1), nil, 400, ReasonTensor},
		{"input twice", "echo", `{"inputs":[` + good[11:len(good)-2] + `,` + good[11:], nil, 400, ReasonTensor},
		{"other datatype", "echo", one("INT64", "[2]", "[1,2]"), nil, 400, ReasonTensor},
		{"unknown datatype", "echo", one("BYTES", "[1]", `["a"]`), nil, 400, ReasonTensor},
		{"other rank", "echo", one("INT32", "[1,2]", "[1,2]"), nil, 400, ReasonTensor},
		{"shape overflow", "echo", one("INT32", "[4294967296,4294967296]", "[1]"), nil, 413, ReasonTooLarge},
		{"fraction in shape", "echo", one("INT32", "[1.5]", "[1]"), nil, 400, ReasonMalformed},
		{"other output", "echo", good[:len(good)-1] + `,"outputs":[{"name":"z"}]}`, nil, 400, ReasonTensor},
		{"output twice", "echo", good[:len(good)-1] + `,"outputs":[{"name":"y"},{"name":"y"}]}`, nil, 400, ReasonTensor},
		{"classification", "echo", good[:len(good)-1] + `,"outputs":[{"name":"y","parameters":{"classification":1}}]}`, nil, 400, ReasonUnsupported},
		{"shared memory", "echo", `{"inputs":[{"name":"x","datatype":"INT32","shape":[1],"parameters":{"shared_memory_region":"r"}}]}`, nil, 400, ReasonUnsupported},
		{"object parameter", "echo", with(`{"a":{}}`), nil, 400, ReasonMalformed},
		{"parameters no object", "echo", with(`[1]`), nil, 400, ReasonMalformed},
		{"verification", "echo", with(`{"verification":"trust"}`), nil, 400, ReasonMalformed},
		{"replicas", "echo", with(`{"verification":"replicated:1"}`), nil, 400, ReasonMalformed},
		{"price", "echo", with(`{"max_price":"1.5"}`), nil, 400, ReasonMalformed},
		{"deadline", "echo", with(`{"deadline_ms":-1}`), nil, 400, ReasonMalformed},
		{"long deadline", "echo", with(`{"deadline_ms":99999999999}`), nil, 400, ReasonMalformed},
		{"FP16 as JSON", "half", one("FP16", "[1]", "[1]"), nil, 400, ReasonTensor},
		{"length above", "echo", good, []string{headerLength + ": 1000"}, 400, ReasonMalformed},
		{"length no number", "echo", good, []string{headerLength + ": -1"}, 400, ReasonMalformed},
		{"rest of nobody", "echo", good + "rest", []string{fmt.Sprintf("%s: %d", headerLength, len(good))}, 400, ReasonTensor},
		{"raw for two inputs", "mymodel", "0123", []string{headerLength + ": 0"}, 400, ReasonTensor},
		{"raw of half an element", "echo", "012", []string{headerLength + ": 0"}, 400, ReasonTensor},
		{"media type", "echo", good, []string{"Content-Type: text/html"}, 415, ReasonUnsupported},
		{"encoding", "echo", good, []string{"Content-Encoding: br"}, 415, ReasonUnsupported},
		{"no gzip", "echo", good, []string{"Content-Encoding: gzip"}, 400, ReasonMalformed},
		{"half gzip", "echo", squeezed("gzip", good)[:30], []string{"Content-Encoding: gzip"}, 400, ReasonMalformed},
		{"unknown model", "nothing", good, nil, 404, ReasonModel},
		{"long model", strings.Repeat("x", 1000), good, nil, 404, ReasonModel},
		{"unknown version", "echo/versions/9", good, nil, 404, ReasonModel},
		{"circuit", "circuit", good, nil, 400, ReasonMalformed},
	} {
		f := newFake()
		s := serve(t, f, nil)
		a := s.ask(t, "POST", "/v2/models/"+x.path+"/infer", x.body, x.headers...)
		if a.status != x.status || a.header.Get(headerReason) != x.reason {
			t.Errorf("%s: %s, want %d %s", x.name, a, x.status, x.reason)
		}
		if a.status != 200 && (!strings.HasPrefix(a.body, `{"error":"`) || len(f.mu.requests) > 0) {
			t.Errorf("%s: %s, %d jobs", x.name, a, len(f.mu.requests))
		}
	}
}

func TestBinaryDataIsHeldAgainstTheShape(t *testing.T) {
	for size, status := range map[string]int{"8": 200, "7": 400, "4": 400, "9": 400, "-1": 400, "1e3": 400, "99999999999999999999": 400} {
		body := `{"inputs":[{"name":"x","datatype":"INT32","shape":[2],"parameters":{"binary_data_size":` + size + `}}]}`
		s := serve(t, newFake(), nil)
		if a := s.ask(t, "POST", "/v2/models/echo/infer", body+"01234567", fmt.Sprintf("%s: %d", headerLength, len(body))); a.status != status {
			t.Errorf("%s bytes: %s, want %d", size, a, status)
		}
	}
}
