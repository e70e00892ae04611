package store

import (
	"fmt"
	"os"
	"testing"
)

// envChild names the folder in which this process plays the scenario, if it is a child that is
// to be killed. It writes a line to its output for each step that has returned.
const envChild = "WES_TEST_STORE_CHILD"

func childFolder() string { return os.Getenv(envChild) }

// stern is a testing.TB outside a test: it panics.
type stern struct{ testing.TB }

func (stern) Helper()                      {}
func (stern) Cleanup(func())               {}
func (stern) Fatal(args ...any)            { panic(fmt.Sprint(args...)) }
func (stern) Fatalf(f string, args ...any) { panic(fmt.Sprintf(f, args...)) }
func (stern) TempDir() string {
	dir, err := os.MkdirTemp("", "store")
	if err != nil {
		panic(err)
	}
	return dir
}

// runChild plays the scenario.
func runChild(dir string) {
	c := newScenario(stern{})
	fmt.Println("made")
	s, err := Open(dir, c.o)
	if err != nil {
		stern{}.Fatal(err)
	}
	fmt.Println("open")
	for _, step := range c.steps {
		if err := step.do(s); err != nil {
			stern{}.Fatalf("%s: %v", step.name, err)
		}
		fmt.Println(step.name)
	}
	if err := s.Close(); err != nil {
		stern{}.Fatal(err)
	}
}
