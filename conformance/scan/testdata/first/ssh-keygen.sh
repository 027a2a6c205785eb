# program: /usr/bin/ssh-keygen
# package: openssh-client
for t in ed25519 ecdsa "rsa -b 2048"; do p -q -t $t -N '' -f "key-${t%% *}" -C comment; done
p -l -f key-ed25519.pub; p -lv -E md5 -f key-rsa.pub; p -y -f key-rsa >/dev/null; p -e -m PEM -f key-rsa.pub >pem; p -i -m PEM -f pem >/dev/null
p -p -P '' -N secret -f key-rsa; fails p -y -P wrong -f key-rsa </dev/null; p -c -C new -P secret -f key-rsa
p -s key-ed25519 -I id -n user -V +1d key-ecdsa.pub; p -L -f key-ecdsa-cert.pub
echo data >data; p -q -Y sign -f key-ed25519 -n file data; echo "me $(cat key-ed25519.pub)" >allowed; p -Y verify -f allowed -I me -n file -s data.sig <data
p -k -f krl -s key-ed25519.pub key-ecdsa.pub; p -Q -f krl key-rsa.pub; printf 'host %s\n' "$(cat key-ed25519.pub)" >known; p -F host -f known; p -R host -f known; printf 'host %s\n' "$(cat key-ed25519.pub)" >known; p -H -f known; p -A -f . 2>/dev/null || true
fails p -l -f nothing; fails p -t nothing; p -B -f key-rsa.pub; printf 'n\n' | p -t ed25519 -f key-ed25519 2>/dev/null || true
p -D /nothing.so 2>/dev/null || true
