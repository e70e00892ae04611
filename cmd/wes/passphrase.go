package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// passphraseVariable has the passphrase of keys, where no file is named.
const passphraseVariable = "WES_PASSPHRASE"

// errNoTerminal is returned where a passphrase is needed and nobody can be asked.
var errNoTerminal = errors.New("a passphrase is needed and standard input is no terminal: use --passphrase-file, or set " + passphraseVariable)

// passphrase says where the passphrase of a key comes from: a file, else the environment, else
// the terminal.
type passphrase struct{ file string }

func (p *passphrase) bind(c *cobra.Command) {
	c.Flags().StringVar(&p.file, "passphrase-file", "", "file with the passphrase of the key (default: WES_PASSPHRASE_FILE, else "+passphraseVariable+", else asked for)")
}

// maxPassphrase bounds a passphrase, in bytes.
const maxPassphrase = 1024

// given returns the passphrase that a file or the environment has; false if none does.
func (p *passphrase) given() (string, bool, error) {
	file := p.file
	if file == "" {
		file = os.Getenv(passphraseVariable + "_FILE")
	}
	if file == "" {
		text := os.Getenv(passphraseVariable)
		return text, text != "", nil
	}
	text, err := readPassphrase(file)
	return text, err == nil, err
}

// readPassphrase reads a file but for the end of its line.
func readPassphrase(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("passphrase: %w", err)
	}
	defer func() { _ = f.Close() }()
	raw, err := io.ReadAll(io.LimitReader(f, maxPassphrase+1))
	if err != nil {
		return "", fmt.Errorf("passphrase: %w", err)
	}
	if len(raw) > maxPassphrase {
		return "", fmt.Errorf("passphrase: %s has more than %d bytes", file, maxPassphrase)
	}
	return strings.TrimRight(string(raw), "\r\n"), nil
}

// existing returns a function that gets the passphrase of a key that has one.
func (p *passphrase) existing(stderr io.Writer, name string) func() (string, error) {
	return func() (string, error) {
		if text, ok, err := p.given(); ok || err != nil {
			return text, err
		}
		return ask(stderr, fmt.Sprintf("Passphrase of %s: ", name))
	}
}

// fresh gets the passphrase of a new key; at the terminal it is asked for twice.
func (p *passphrase) fresh(stderr io.Writer, name string) (string, error) {
	if text, ok, err := p.given(); ok || err != nil {
		return text, err
	}
	return askTwice(stderr, name)
}

func askTwice(stderr io.Writer, name string) (string, error) {
	one, err := ask(stderr, fmt.Sprintf("New passphrase for %s: ", name))
	if err != nil {
		return "", err
	}
	two, err := ask(stderr, "The same again: ")
	if err == nil && one != two {
		err = errors.New("the passphrases differ: nothing was done")
	}
	return one, err
}

// ask reads a line from the terminal without showing it.
func ask(stderr io.Writer, prompt string) (string, error) {
	fd := int(os.Stdin.Fd())
	if !term.IsTerminal(fd) {
		return "", errNoTerminal
	}
	fmt.Fprint(stderr, prompt)
	line, err := term.ReadPassword(fd)
	fmt.Fprintln(stderr)
	if err != nil {
		return "", fmt.Errorf("passphrase: %w", err)
	}
	return string(line), nil
}
