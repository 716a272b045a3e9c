package acceptance

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"galgo/server/placement"
	"galgo/wire/client"
)

// What makes the test binary log in many clients instead: how many users they are of, and the server's address. And what makes it keep all cores busy.
const (
	loginUsers   = "ACCEPTANCE_LOGIN_USERS"
	loginAddress = "ACCEPTANCE_LOGIN_ADDRESS"
	burnAll      = "ACCEPTANCE_BURN_ALL"
)

const loginsCount = 1000

// loginUser is the name of a user, and its password.
func loginUser(i int) []byte { return fmt.Appendf(nil, "user-%d", i) }

// logInMany logs all of them in at once, and prints how long each took. It returns the process's exit code.
func logInMany(users, address string) int {
	count, err := strconv.Atoi(users)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	took, failed := make([]time.Duration, loginsCount), make([]error, loginsCount)
	var logins sync.WaitGroup
	begin := time.Now()
	for i := range loginsCount {
		logins.Go(func() {
			user := string(loginUser(i % count))
			_, failed[i] = client.Dial(context.Background(), address, client.Options{Username: user, Password: user, Timeout: time.Minute})
			took[i] = time.Since(begin)
		})
	}
	logins.Wait()
	for i, err := range failed {
		if err != nil {
			fmt.Fprintf(os.Stderr, "login %d: %v\n", i, err)
			return 1
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(took); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// burnCores lets another process keep all cores busy, with as much less priority than others as a server's workers have.
func burnCores(t *testing.T) (stop func()) {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), burnAll+"=true")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	}
}

// burn keeps all cores busy until the process is killed. It returns only when something is wrong.
func burn() int {
	if err := placement.Prefer(); err != nil { // nobody: all threads are others
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	var turns atomic.Uint64
	for range runtime.NumCPU() {
		go func() {
			for {
				turns.Add(1)
			}
		}()
	}
	select {}
}
