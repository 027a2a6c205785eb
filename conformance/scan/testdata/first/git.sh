# program: /usr/bin/git
# package: git
# runs: /usr/bin/dash /usr/bin/cat /usr/bin/true /usr/bin/sed /usr/bin/gettext /usr/bin/uname /usr/bin/basename /usr/bin/envsubst /usr/lib/git-core/git /usr/lib/git-core/git-daemon
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b GIT_EDITOR=true GIT_PAGER=cat GIT_CONFIG_NOSYSTEM=1
p init -q -b main repo
cd repo
seq 20000 >file; mkdir dir; echo x >dir/x; ln -s file link
p add .; p commit -qm first
echo more >>file; p status --short; p diff --stat; p commit -qam second
p branch other HEAD~1; p switch -q other; echo y >y; p add y; p commit -qm third
p merge -q main -m merged; p rebase -q main || p rebase --abort
p log --graph --oneline --all -p | cat >/dev/null; p blame file >/dev/null; p grep -q 19999
p -c core.pager=cat log -1 >/dev/null; p stash -q || true; p tag -a -m tag v1; p describe
for i in 1 2 3; do echo "$i" >"f$i"; p add .; p commit -qm "$i"; done
p gc -q; p repack -adq; p fsck >/dev/null; p pack-refs --all; p -c pack.threads=2 repack -adfq; p -c core.preloadindex=true status >/dev/null
p worktree add -q ../tree; p archive HEAD >../archive.tar; p bundle create -q ../bundle --all
p clone -q . ../clone; p clone -q --no-local --bare . ../bare.git; p -C ../clone fetch -q; p -C ../clone push -q ../bare.git HEAD:new || p -C ../clone push -q "$PWD/../bare.git" HEAD:new
p submodule status; p cherry-pick HEAD 2>/dev/null || p cherry-pick --abort || true; p reset -q --hard HEAD~1; p clean -fdq; p bisect start >/dev/null; p bisect reset >/dev/null 2>&1
p rev-list --objects --all | p cat-file --batch-check >/dev/null; p config user.name z; p notes add -m note; p format-patch -q -1 --stdout >../patch; p apply --check --reverse ../patch || true; p am -q ../patch || p am --abort || true
p daemon --base-path=.. --export-all --listen=127.0.0.1 --port="$PORT1" --reuseaddr --pid-file="$PWD/../pid" >/dev/null 2>&1 &
job=$!
await p ls-remote "git://127.0.0.1:$PORT1/bare.git"
p clone -q --depth 1 "git://127.0.0.1:$PORT1/bare.git" ../shallow
kill "$(cat ../pid)"; finish
fails p clone -q /nothing x
fails p nothing
