package pipeline

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"hash"
	"math"
	"os"

	"github.com/weisyn/wes/prover/model/tensor"
)

// key names everything that a prepared program follows from: the file, the options, the
// shapes, the calibration, and the program that does the lowering.
func (s *Source) key() [32]byte {
	h := sha256.New()
	h.Write([]byte("wes/prepared/v1"))
	writeBytes(h, s.ONNX)
	options, err := json.Marshal(s.Options)
	if err != nil {
		panic("BUG: options that are not JSON: " + err.Error())
	}
	writeBytes(h, options)
	writeBytes(h, []byte(s.Transcript.String()))
	writeBytes(h, s.Like)
	writeBytes(h, []byte(executableStamp()))
	writeTensors(h, s.Inputs, len(s.Samples) == 0)
	writeTensors(h, s.Samples, true)
	return [32]byte(h.Sum(nil))
}

// executableStamp changes whenever the program is built anew, so that no program reads what
// another lowering left.
func executableStamp() string {
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return info.ModTime().UTC().Format("2006-01-02T15:04:05.000000000") + " " + info.Mode().String()
}

func writeBytes(h hash.Hash, b []byte) {
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(b))))
	h.Write(b)
}

// writeTensors writes names and shapes, and on request the cells.
func writeTensors(h hash.Hash, tensors []tensor.Tensor, cells bool) {
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(tensors))))
	for _, t := range tensors {
		writeBytes(h, []byte(t.Name))
		b := binary.BigEndian.AppendUint64(nil, uint64(len(t.Shape)))
		for _, d := range t.Shape {
			b = binary.BigEndian.AppendUint64(b, uint64(d))
		}
		if cells {
			for _, v := range t.Data {
				b = binary.BigEndian.AppendUint64(b, math.Float64bits(v))
			}
		}
		writeBytes(h, b)
	}
}
