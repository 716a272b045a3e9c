package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/joho/godotenv"
)

// variable is one environment variable; file is the dotenv file it came from, or "".
type variable struct{ value, file string }

func (v variable) origin(name string) string {
	if v.file != "" {
		return name + " in " + v.file
	}
	return name
}

// Names that are no keys but are read here.
const (
	envConfigFile   = "IGGY_CONFIG_PATH"
	envDotenvFile   = "IGGY_ENV_PATH"
	envRootUsername = "IGGY_ROOT_USERNAME"
	envRootPassword = "IGGY_ROOT_PASSWORD"
	envFilter       = "RUST_LOG"
)

// Names that `galgo produce` and `galgo consume` read. They are no keys: whoever set them for these may start a server as well.
const (
	EnvAddress  = "GALGO_ADDRESS"
	EnvUsername = "GALGO_USERNAME"
	EnvPassword = "GALGO_PASSWORD"
)

var ownNames = []string{envConfigFile, envDotenvFile, envRootUsername, envRootPassword, EnvAddress, EnvUsername, EnvPassword}

// Names of the reference server's sister programs, which run in the same environments. They are not for us.
var (
	sisterNames    = []string{"IGGY_USERNAME", "IGGY_PASSWORD", "IGGY_HOME"}
	sisterPrefixes = []string{"IGGY_CONNECTORS_", "IGGY_MCP_", "IGGY_KAFKA_"}
)

func isSister(name string) bool {
	for _, sister := range sisterNames {
		if name == sister {
			return true
		}
	}
	for _, prefix := range sisterPrefixes {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// readEnviron joins environ ("NAME=value") with the dotenv file, which fills only names that environ lacks. The file is the one
// of IGGY_ENV_PATH, or .env if that exists. A file that is named and cannot be read is an error.
func readEnviron(environ []string) (map[string]variable, error) {
	variables := make(map[string]variable, len(environ))
	for _, line := range environ {
		if name, value, ok := strings.Cut(line, "="); ok {
			variables[name] = variable{value: value}
		}
	}
	file := variables[envDotenvFile].value
	named := file != ""
	if !named {
		file = ".env"
	}
	values, err := godotenv.Read(file)
	switch {
	case err != nil && !named && errors.Is(err, fs.ErrNotExist):
		return variables, nil
	case err != nil && isPathError(err):
		return nil, fmt.Errorf("environment file: %w", err)
	case err != nil:
		// The parser's own text quotes the line, which may hold a password.
		return nil, fmt.Errorf("environment file %s: not in the form NAME=value", file)
	}
	for name, value := range values {
		if _, taken := variables[name]; !taken {
			variables[name] = variable{value: value, file: file}
		}
	}
	return variables, nil
}

func isPathError(err error) bool {
	var path *os.PathError
	return errors.As(err, &path)
}
