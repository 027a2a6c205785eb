# program: /usr/bin/gpg
# package: gnupg
# runs: /usr/bin/gpg-agent /usr/bin/gpgconf /usr/bin/gpg-connect-agent
export GNUPGHOME="$PWD/home"; mkdir -m 700 home # strace and record wait for the daemon if gpg starts it
gpg-agent --daemon >/dev/null 2>&1
g() { p --batch --quiet --yes --pinentry-mode loopback --passphrase '' "$@"; }
g --quick-generate-key me ed25519 sign never; g --quick-generate-key other default default never
g -k >/dev/null; g -K --with-keygrip >/dev/null; g --fingerprint >/dev/null
seq 10000 >data; g -s data; g --verify data.gpg; g --clearsign data; g -b data; g --verify data.sig data
g --passphrase secret -c -o sym --cipher-algo AES256 data; g --passphrase secret -d sym | cmp - data; g -e -r other -o enc data; g -d -o dec enc; cmp dec data
g --export -a me >pub; g --export-secret-keys me >sec; g --delete-secret-and-public-key "$(g -K --with-colons me | awk -F: '/^fpr/ { print $10; exit }')"; g --import pub sec
g --gen-random 1 10 >/dev/null; g --print-md sha256 data; g --list-packets data.gpg >/dev/null; g --check-trustdb; g --enarmor <data >/dev/null; g --version >/dev/null; echo 'trust' | g --edit-key me quit </dev/null
fails g -d nothing; fails g --verify data
gpgconf --kill all
