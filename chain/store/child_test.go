package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
)

// envChild names the folder in which this process plays the scenario, if it is a child that is
// to be killed. It writes a line to its output for each step that has returned.
const envChild = "WES_TEST_STORE_CHILD"

// envRead names the folder of a store that this process opens and reads whole. Badger leaves
// goroutines behind when it can't open a folder, and some damage could end the process.
const envRead = "WES_TEST_STORE_READ"

func childFolder() string { return os.Getenv(envChild) }

// runReader prints what is wrong with a store.
func runReader(dir string) {
	err := readWhole(dir)
	switch {
	case err == nil:
		fmt.Println("whole")
	case errors.Is(err, ErrCorrupt):
		fmt.Println("corrupt:", err)
	default:
		fmt.Println("fault:", err)
	}
}

// readWhole reads every value of a store.
func readWhole(dir string) error {
	s, err := Open(dir, newScenario(stern{}).o)
	if err != nil {
		return err
	}
	defer s.Close()
	_, err = s.Verify(context.Background(), validator(stern{}), func(uint64, uint64) {})
	return err
}

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
