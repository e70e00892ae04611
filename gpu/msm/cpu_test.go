package msm_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/weisyn/wes/gpu/msm"
	"github.com/weisyn/wes/gpu/msm/msmtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestCPU(t *testing.T) {
	e := msm.NewCPU()
	msmtest.Run(t, e)
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}
