# go: github.com/go-task/task/v3/cmd/task@v3.44.0
# runs: /usr/bin/cat /usr/bin/sleep /usr/bin/cp /usr/bin/dash /usr/bin/git /usr/bin/uname
cat >Taskfile.yml <<'END'
version: '3'
dotenv: ['.env']
vars: {KERNEL: {sh: uname}}
tasks:
  default: {cmds: ['echo "{{.KERNEL}} {{OS}} $A"'], deps: [made, slow]}
  made: {sources: [in], generates: [out], cmds: [cp in out]}
  stamp: {sources: [in], method: timestamp, generates: [out], cmds: [cat in > out]}
  slow: {cmds: [sleep 0.1, "echo a | cat | cat"], silent: true}
  bad: {cmds: ["false"]}
  ignored: {cmds: [{cmd: exit 1, ignore_error: true}, {defer: echo later}]}
  asks: {prompt: sure, cmds: [echo x]}
  only: {platforms: [windows], cmds: [echo x]}
  status: {status: [test -f out], cmds: [echo x]}
  shell: {cmds: ["sh -c 'kill -0 $$' && (cd / && pwd) && test -e nothing || true; x=$(cat in); echo ${x} >redirected; [[ -d / ]] && trap 'echo t' EXIT"]}
  forever: {cmds: [sleep 5]}
includes: {sub: {taskfile: sub, optional: true}}
END
mkdir sub; printf "version: '3'\ntasks: {x: {dir: /, cmds: [pwd]}}\n" >sub/Taskfile.yml; echo A=b >.env; echo text >in
p; p; p made; p stamp; p -p slow slow; p -o group slow; p -o prefixed slow; p --list-all; p -l --json >/dev/null || true; p --summary made || true; p --status made || true; p -n default; p ignored; p sub:x; p only; p status; p shell; echo y | p asks 2>/dev/null || true; p -y asks; p -f made; p --version; p -v -C 1 default 2>/dev/null; (cd sub; p x); fails p bad; fails p nothing; p -x bad && exit 1; mkdir new; (cd new; p --init; p); p --completion bash >/dev/null; p -d sub -a || true; p --taskfile - <sub/Taskfile.yml x 2>/dev/null || true
start -w made; await test -d .task; echo more >>in; sleep 1; signal INT || true; signal INT || true; finish; start forever; sleep 0.5; signal TERM || true; finish
