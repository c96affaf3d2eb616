//go:build !linux

package testnet

import (
	"errors"
	"os"
)

func tun(*Host, string) (*os.File, error) { return nil, errors.ErrUnsupported }
