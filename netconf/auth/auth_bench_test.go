package auth

import "testing"

// BenchmarkPassword compares the cost of a known user with that of others, which
// must not be told apart.
func BenchmarkPassword(b *testing.B) {
	hash, err := HashPassword("right")
	if err != nil {
		b.Fatal(err)
	}
	a := New(Users{"known": {Password: hash}, "none": {}, "clear": {Password: "$0$right"}})
	for _, user := range []string{"known", "none", "clear", "unknown"} {
		b.Run(user, func(b *testing.B) {
			for b.Loop() {
				a.Password(user, "wrong", nil)
			}
		})
	}
}
