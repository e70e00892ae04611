package gpu

import (
	"fmt"
	"io"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// claimFolder names the environment variable that makes the test program hold devices.
const claimFolder = "WES_TEST_CLAIM"

func TestMain(m *testing.M) {
	if folder := os.Getenv(claimFolder); folder != "" {
		hold(folder)
		return
	}
	goleak.VerifyTestMain(m)
}

// hold owns a device until standard input ends.
func hold(folder string) {
	c, err := Claim(folder, devices(1))
	if err != nil {
		panic(err)
	}
	fmt.Println(len(c.Devices))
	_, _ = io.Copy(io.Discard, os.Stdin)
}
