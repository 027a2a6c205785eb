# go: filippo.io/age/cmd/age@v1.2.1
seq 100000 >data
ssh-keygen -q -t ed25519 -N '' -f ssh
p -R ssh.pub -o enc data; p -d -i ssh -o dec enc; cmp data dec
p -a -R ssh.pub <data | p -d -i ssh | cmp - data
fails p -d -i nothing enc; fails p -d -i ssh data; fails p -r nonsense data; p --version; fails p -p data </dev/null
p -i ssh -e data >/dev/null || true
