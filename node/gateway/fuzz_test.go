package gateway

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
)

func FuzzInference(f *testing.F) {
	f.Add([]byte(exampleJSON), "")
	f.Add([]byte(exampleBinary+exampleData), fmt.Sprint(len(exampleBinary)))
	f.Add([]byte(exampleData), "0")
	f.Add([]byte(`{"inputs":[{"name":"x","datatype":"INT32","shape":[1],"data":[[1]]}],"parameters":{"max_price":"7","deadline_ms":5}}`), "")
	f.Fuzz(func(t *testing.T, body []byte, length string) {
		for _, m := range testModels() {
			const max = 1 << 16
			x, p := decodeInference(body, length, &m, max)
			if p != nil {
				if p.Status/100 != 4 || p.Text == "" {
					t.Fatalf("%+v", p)
				}
				continue
			}
			total := 0
			for i := range x.request.Inputs {
				in := &x.request.Inputs[i]
				total += len(in.Data)
				if p := in.check(max); p != nil {
					t.Fatal(p)
				}
			}
			if total > max {
				t.Fatalf("%d bytes", total)
			}
			again, head, err := encodeInference(&x.request, Binary)
			if err != nil {
				t.Fatal(err)
			}
			y, p := decodeInference(again, fmt.Sprint(head), &m, max)
			if p != nil || fmt.Sprint(y.request) != fmt.Sprint(x.request) {
				t.Fatalf("%+v\n%+v\n%v", x.request, y, p)
			}
		}
	})
}

func FuzzJob(f *testing.F) {
	f.Add([]byte(`{"model":"echo","inputs":[{"name":"x","datatype":"INT32","shape":[1],"data":"AQAAAA=="}]}`))
	f.Add([]byte(`{"model":"circuit","kind":"prove","witness":"AA==","verification":"replicated:2","max_price":"1","deadline_ms":1}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		r, p := decodeJob(body, 1<<16)
		if p != nil {
			return
		}
		for _, m := range testModels() {
			if r.checkAgainst(&m) == nil && r.Kind == KindInfer {
				for i := range r.Inputs {
					if p := r.Inputs[i].check(1 << 16); p != nil {
						t.Fatal(p)
					}
				}
			}
		}
	})
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"model_name":"m",`+answerParameters+","+answerJSON), "")
	f.Add([]byte(`{"model_name":"m",`+answerParameters+","+answerBinaryJSON+exampleOutput), "")
	f.Add(binary.LittleEndian.AppendUint32(nil, 1), "0")
	f.Fuzz(func(t *testing.T, body []byte, length string) {
		x, err := decodeAnswer(body, length)
		if err != nil {
			return
		}
		for i := range x.Outputs {
			if p := x.Outputs[i].check(maxAnswer); p != nil {
				t.Fatal(p)
			}
		}
	})
}

func FuzzEvents(f *testing.F) {
	f.Add("retry: 3000\n\nid: 1\nevent: job\ndata: {}\n\n:\n\nevent: end\ndata: {}\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		var last error
		for e, err := range readEvents(strings.NewReader(text)) {
			if last != nil || err == nil && len(e.data) == 0 {
				t.Fatal(e, last)
			}
			last = err
		}
		if last == nil {
			t.Fatal("no end")
		}
	})
}
