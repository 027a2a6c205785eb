# go: github.com/junegunn/fzf@v0.65.2
# runs: /usr/bin/dash /usr/bin/echo /usr/bin/tput
seq 100000 | p --filter 99 | tail -n 1; seq 100 | p -f "'5 !6" -e --tac >/dev/null; printf 'a\0b\0' | p --read0 --print0 -f a >/dev/null; mkdir -p d/e; echo x >d/e/f; (cd d; p --walker file,dir,hidden -f f </dev/null || true); printf 'one\n' | p -1 -q one; printf 'x\n' | p -0 -q none || true; printf 'a b\n' | p -f b -n 2 --delimiter ' '
p --version; p --bash >/dev/null; p --zsh >/dev/null; fails p --nothing; printf 'x\n' | p --history=h -f x; printf 'x\n' | FZF_DEFAULT_OPTS='--no-sort' p -f x; FZF_DEFAULT_COMMAND='echo y' p -f y </dev/null || true; seq 10 | p </dev/null 2>/dev/null || true
seq 100 | start --listen "$PORT1" --height 5 2>/dev/null || true
