package auth_test

import (
	"fmt"

	"incidentd/netconf/auth"
)

func ExampleAuthenticator_Password() {
	hash, err := auth.HashPassword("correct horse")
	if err != nil {
		fmt.Println(err)
		return
	}
	a := auth.New(auth.Users{"ann": {Name: "ann", Password: hash}})
	fmt.Println(a.Password("ann", "correct horse", nil))
	fmt.Println(a.Password("ann", "battery staple", nil))
	// Output:
	// true
	// false
}
