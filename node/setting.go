package node

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// maxFile bounds configuration files and definitions of networks, in bytes.
const maxFile = 1 << 20

// ErrFile is returned for a file that is no configuration or definition; the text says where.
var ErrFile = errors.New("unusable file")

// Setting is one field of Config, for those who list or bind them.
type Setting struct {
	Name    string // in a file
	Flag    string // on a command line, without dashes
	Env     string // in the environment
	Kind    string // text, number, switch or list (of texts, with commas between)
	Default string
	Doc     string
	Hot     bool // it takes effect when a running node reads its settings again
}

// Settings lists all settings in the order of Config.
func Settings() []Setting {
	c := DefaultConfig()
	var all []Setting
	t := reflect.TypeFor[Config]()
	for i := range t.NumField() {
		name := settingName(t.Field(i))
		all = append(all, Setting{
			Name: name, Flag: strings.ReplaceAll(name, "_", "-"), Env: "WES_" + strings.ToUpper(name),
			Kind: kindOf(t.Field(i).Type), Default: format(reflect.ValueOf(c).Field(i)), Doc: t.Field(i).Tag.Get("doc"),
			Hot: t.Field(i).Tag.Get("hot") != "",
		})
	}
	return all
}

// settingName is the name in files, or that of a setting which files do not have.
func settingName(f reflect.StructField) string {
	if name := f.Tag.Get("toml"); name != "-" {
		return name
	}
	return f.Tag.Get("name")
}

func kindOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "switch"
	case reflect.Int, reflect.Uint64:
		return "number"
	case reflect.Slice:
		return "list"
	}
	return "text"
}

func format(v reflect.Value) string {
	if list, ok := v.Interface().([]string); ok {
		return strings.Join(list, ",")
	}
	return fmt.Sprint(v.Interface())
}

// Get returns the value of a setting as Set takes it; false if there is no such setting.
func (c *Config) Get(name string) (string, bool) {
	v, ok := c.field(name)
	if !ok {
		return "", false
	}
	return format(v), true
}

// Set changes a setting from its text; an error is a SettingError.
func (c *Config) Set(name, text string) error {
	v, ok := c.field(name)
	if !ok {
		return &SettingError{name, "there is no such setting"}
	}
	var err error
	switch v.Kind() {
	case reflect.Bool:
		var b bool
		b, err = strconv.ParseBool(text)
		v.SetBool(b)
	case reflect.Int:
		var n int64
		n, err = strconv.ParseInt(text, 10, strconv.IntSize)
		v.SetInt(n)
	case reflect.Uint64:
		var n uint64
		n, err = strconv.ParseUint(text, 10, 64)
		v.SetUint(n)
	case reflect.Slice:
		v.Set(reflect.ValueOf(splitList(text)))
	default:
		v.SetString(text)
	}
	if err != nil {
		return &SettingError{name, fmt.Sprintf("%q is not a %s", text, kindOf(v.Type()))}
	}
	return nil
}

func splitList(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

func (c *Config) field(name string) (reflect.Value, bool) {
	v := reflect.ValueOf(c).Elem()
	for i := range v.NumField() {
		if settingName(v.Type().Field(i)) == name {
			return v.Field(i), true
		}
	}
	return reflect.Value{}, false
}

// Sources are where settings come from, the later the stronger. File is a configuration file;
// empty stands for config.toml in the home folder, which need not exist. Env looks up variables,
// os.LookupEnv for instance. Flags are those given on a command line, by Setting.Name.
type Sources struct {
	File  string
	Env   func(string) (string, bool)
	Flags map[string]string
}

// Load reads a configuration. Errors are a SettingError, or ErrFile with the line at fault.
func Load(src Sources) (Config, error) {
	over, err := src.overrides()
	if err != nil {
		return Config{}, err
	}
	c := DefaultConfig()
	c.Home = over["home"]
	if err := c.placeHome(); err != nil {
		return c, err
	}
	if err := c.read(src.File); err != nil {
		return c, err
	}
	for name, text := range over {
		if err := c.Set(name, text); err != nil {
			return c, err
		}
	}
	return c, c.validate()
}

// overrides are the settings that flags and the environment have.
func (s *Sources) overrides() (map[string]string, error) {
	over := map[string]string{}
	for _, setting := range Settings() {
		if s.Env != nil {
			if text, ok := s.Env(setting.Env); ok {
				over[setting.Name] = text
			}
		}
	}
	for name, text := range s.Flags {
		if _, ok := (&Config{}).Get(name); !ok {
			return nil, &SettingError{name, "there is no such setting"}
		}
		over[name] = text
	}
	return over, nil
}

func (c *Config) read(file string) error {
	named := file != ""
	if !named {
		file = filepath.Join(c.Home, "config.toml")
	}
	err := readTOML(file, c)
	if !named && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	return nil
}

// readTOML decodes a file of bounded size. Unknown keys are errors, with their lines.
func readTOML(file string, into any) error {
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	if info.Size() > maxFile {
		return fmt.Errorf("%w: %s has %d bytes, more than %d", ErrFile, file, info.Size(), maxFile)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return decodeTOML(file, text, into)
}

func decodeTOML(file string, text []byte, into any) error {
	err := toml.NewDecoder(strings.NewReader(string(text))).DisallowUnknownFields().Decode(into)
	var unknown *toml.StrictMissingError
	var at *toml.DecodeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &unknown):
		line, _ := unknown.Errors[0].Position()
		return fmt.Errorf("%w: %s, line %d: unknown key %q", ErrFile, file, line, strings.Join(unknown.Errors[0].Key(), "."))
	case errors.As(err, &at):
		line, _ := at.Position()
		return fmt.Errorf("%w: %s, line %d: %v", ErrFile, file, line, err)
	}
	return fmt.Errorf("%w: %s: %v", ErrFile, file, err)
}
