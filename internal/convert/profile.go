package convert

import (
	"github.com/seccompile/seccompile/internal/listing"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
)

// Profile is OCI's language, and Docker's and Podman's, as one to convert to.
type Profile struct{ oci.Language }

// Write returns the text of what a profile can say. All three formats have it.
func (Profile) Write(p *policy.Policy, r *policy.Resolved) ([]byte, error) {
	out, err := listing.Profile(p, r)
	if err != nil {
		return nil, err
	}
	text, err := oci.Print(out)
	return []byte(text), err
}
