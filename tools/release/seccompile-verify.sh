#!/bin/sh
# Checks a release of seccompile: its signatures, checksums and provenance. It needs cosign
# (3 or later, which is not asked to reach the network) and sha256sum or shasum.
set -eu
export LC_ALL=C
unset CDPATH # with which cd may go to another directory than DIR

usage() {
  cat >&2 <<'END'
usage: seccompile-verify.sh [-c COMMIT] KEY DIR [FILE...]

KEY is the project's public key for cosign: take it from the repository, not from where the
release comes from. DIR has the release: all of it, or SHA256SUMS, provenance.json, both
files *.sigstore.json, and the FILEs, which alone are then checked. With -c, the release must
have been built from that commit: the output of git rev-parse 'v0.1.0^{commit}'.
END
  exit 2
}

fail() {
  printf 'seccompile-verify: %s\n' "$*" >&2
  exit 1
}

# Prints the SHA-256 of a file and nothing else.
sha256() {
  if command -v sha256sum >/dev/null; then sha256sum <"$1"; else shasum -a 256 <"$1"; fi | cut -d ' ' -f 1
}

commit=
while getopts c: option; do
  case $option in
  c) # what git prints when it fails must not pass for no -c
    commit=$OPTARG
    [ "${#commit}" -eq 40 ] || fail "-c '$commit': not a commit, which has 40 digits"
    ;;
  *) usage ;;
  esac
done
shift $((OPTIND - 1))
[ $# -ge 2 ] || usage
key=$1 dir=$2
shift 2
command -v cosign >/dev/null || fail 'no cosign in the path (see https://docs.sigstore.dev)'
[ -f "$key" ] || fail "$key: not a file"
[ -d "$dir" ] || fail "$dir: not a directory"
case $key in /*) ;; *) key=$PWD/$key ;; esac
cd -- "$dir"
[ "$(cd -- "$(dirname -- "$key")" && pwd -P)" != "$(pwd -P)" ] || fail 'the key is one of the files to check: take it from the repository'
for f in SHA256SUMS SHA256SUMS.sigstore.json provenance.json provenance.sigstore.json; do
  [ -f "$f" ] && [ ! -L "$f" ] || fail "$f: missing"
done

# The checksums are what the key signed.
problem=$(cosign verify-blob --key "$key" --bundle SHA256SUMS.sigstore.json --insecure-ignore-tlog SHA256SUMS 2>&1) ||
  fail "SHA256SUMS: the signature is not of this key: $problem"
! grep -qvE '^[0-9a-f]{64}  [A-Za-z0-9][A-Za-z0-9._~+-]*$' SHA256SUMS || fail 'SHA256SUMS: not a list of checksums'

# Nothing is missing, and nothing is there that was not signed.
if [ $# -eq 0 ]; then
  for f in * .[!.]* ..?*; do
    [ -e "$f" ] || [ -L "$f" ] || continue # a pattern without files
    case $f in
    SHA256SUMS | SHA256SUMS.sigstore.json | provenance.sigstore.json) continue ;;
    *[!A-Za-z0-9._~+-]*) fail "$f: not a file of this release" ;; # to grep, lines are several names
    esac
    cut -c 67- SHA256SUMS | grep -qxF -e "$f" || fail "$f: not a file of this release"
  done
  # shellcheck disable=SC2046 # names have no spaces
  set -- $(cut -c 67- SHA256SUMS)
else
  set -- "$@" provenance.json
fi
for f in "$@"; do
  [ -f "$f" ] && [ ! -L "$f" ] || fail "$f: missing"
  want=$(awk -v name="$f" 'substr($0, 67) == name { print $1 }' SHA256SUMS)
  [ -n "$want" ] || fail "$f: not a file of this release"
  [ "$(sha256 "$f")" = "$want" ] || fail "$f: not what was released"
done

# The key also signed that each file was built from one commit.
sed -n 's/.*"payload":"\([^"]*\)".*/\1/p' provenance.sigstore.json | base64 -d | cmp -s - provenance.json ||
  fail 'provenance.sigstore.json: signs another provenance than provenance.json'
for f in "$@"; do
  [ "$f" != provenance.json ] || continue
  problem=$(cosign verify-blob-attestation --key "$key" --bundle provenance.sigstore.json --insecure-ignore-tlog --type slsaprovenance1 "$f" 2>&1) ||
    fail "$f: the signed provenance does not have it: $problem"
done
built=$(sed -n 's/^ *"gitCommit": "\([0-9a-f]*\)"$/\1/p' provenance.json)
version=$(sed -n 's/^ *"version": "\([^"]*\)"$/\1/p' provenance.json)
[ "${#built}" -eq 40 ] && [ -n "$version" ] || fail 'provenance.json: names no commit or no version'
[ -z "$commit" ] || [ "$commit" = "$built" ] || fail "built from commit $built, not $commit"
printf 'verified: seccompile %s, built from commit %s: %d files\n' "$version" "$built" $#
