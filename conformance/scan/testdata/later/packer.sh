# program: /usr/bin/packer
# package: packer
# runs: /usr/bin/dash /usr/bin/uname
export PACKER_CONFIG_DIR="$PWD" CHECKPOINT_DISABLE=1 PACKER_LOG=1
printf 'source "null" "x" {\n  communicator = "none"\n}\nbuild {\n  sources = ["null.x"]\n  provisioner "shell-local" {\n    inline = ["echo x"]\n    execute_command = ["/bin/sh", "{{.Script}}"]\n  }\n}\n' >x.pkr.hcl
p version; p validate x.pkr.hcl 2>/dev/null || true; p fmt x.pkr.hcl; p inspect x.pkr.hcl >/dev/null 2>&1 || true; p build x.pkr.hcl >/dev/null 2>&1 || true; printf '{"builders": [{"type": "null", "communicator": "none"}]}\n' >y.json; p validate y.json >/dev/null 2>&1 || true; p build -parallel-builds=2 y.json >/dev/null 2>&1 || true; p hcl2_upgrade y.json >/dev/null 2>&1 || true; p console x.pkr.hcl </dev/null >/dev/null 2>&1 || true; fails p build nothing 2>/dev/null; p --help >/dev/null 2>&1 || true; p plugins installed 2>/dev/null || true
