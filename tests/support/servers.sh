# SPDX-License-Identifier: Apache-2.0
# Sourced after lib.sh by the scripts about what lies behind URLs: nginx, git over HTTP and sshd, each on a loopback port of its
# own, and the repositories that they serve. HOME and git's configuration are made here, so nothing of the machine's counts.
for program in git nginx sshd; do
  PATH=$PATH:/usr/sbin command -v $program >/dev/null || skip "no $program (./dev test installs git, nginx-light and openssh-server)"
done
export HOME=$work/home GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=$work/home/.gitconfig
export GIT_AUTHOR_DATE=@1000000000+0000 GIT_COMMITTER_DATE=@1000000000+0000
mkdir -p "$HOME/.ssh" git
printf '[user]\nname = n\nemail = n@example.com\n[init]\ndefaultBranch = main\n[core]\nsafecrlf = false\n[protocol "file"]\nallow = always\n' >"$HOME/.gitconfig"

# start_server NAME COMMAND…: starts a program that prints its address when it is ready. The address is in $NAME then, its
# stderr in NAME.log, to which it appends.
start_server() {
  rm -f "$1.address" "$1.stdin" && mkfifo "$1.stdin" # which never ends
  "${@:2}" <>"$1.stdin" >"$1.address" 2>>"$1.log" &
  processes+=($!)
  until [ -s "$1.address" ]; do kill -0 "${processes[-1]}" 2>/dev/null || fail "$1: $(cat "$1.log")"; sleep 0.05; done
  printf -v "$1" %s "$(cat "$1.address")"
}
wait_for_port() { # NAME PORT: of the process started last
  until (exec 3<>"/dev/tcp/127.0.0.1/$2") 2>/dev/null; do
    kill -0 "${processes[-1]}" 2>/dev/null || fail "$1 did not start: $(cat "$1.log")"
    sleep 0.05
  done
}

# start_web NAME FOLDER <<CONFIG: nginx for the folder, with more lines for its server block. Its address is in $NAME; a line
# "METHOD PATH STATUS AUTHORIZATION|IF-NONE-MATCH|IF-MODIFIED-SINCE" per request in NAME.requests.
start_web() {
  local port place=$work/$1.nginx
  port=$(free_port)
  mkdir -p "$2" "$place"
  cat >"$place/conf" <<C
daemon off; pid $place/pid; error_log stderr; user root; worker_processes 1;
events {}
http {
  log_format words '\$request_method \$request_uri \$status \$http_authorization|\$http_if_none_match|\$http_if_modified_since';
  access_log $work/$1.requests words;
  client_body_temp_path $place; proxy_temp_path $place; fastcgi_temp_path $place; uwsgi_temp_path $place; scgi_temp_path $place;
  default_type application/octet-stream;
  server { listen 127.0.0.1:$port; root $(readlink -f "$2"); $(cat) }
}
C
  PATH=$PATH:/usr/sbin nginx -c "$place/conf" -p "$place" >>"$1.log" 2>&1 &
  processes+=($!)
  wait_for_port "$1" "$port"
  printf -v "$1" %s "http://127.0.0.1:$port"
}

# start_git NAME: every repository below the folder git over HTTP. $NAME is where they are served as they should be, ".../smart";
# git_server.py says what else there is beside that.
start_git() {
  start_server "$1" python3 "$support/git_server.py" git
  printf -v "$1" 'http://127.0.0.1:%s/smart' "${!1}"
}
git_requests() { curl -s --noproxy '*' "${1%/smart}/log"; } # ADDRESS: a line each, in order

# start_sshd: git over ssh for who has a key in the file authorized, as the user that runs this; $sshd is "user@host:port".
# The host key is sshd.key; another one for the next start is made when that file is gone.
start_sshd() {
  local port
  port=$(free_port)
  [ -f sshd.key ] || ssh-keygen -q -t ed25519 -N '' -C host -f sshd.key
  mkdir -p /run/sshd && touch authorized
  cat >sshd.conf <<C
ListenAddress 127.0.0.1:${1:-$port}
HostKey $work/sshd.key
AuthorizedKeysFile $work/authorized
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
ForceCommand git-shell -c "\$SSH_ORIGINAL_COMMAND"
C
  /usr/sbin/sshd -D -e -f sshd.conf >>sshd.log 2>&1 &
  processes+=($!)
  wait_for_port sshd "${1:-$port}"
  sshd=$(id -un)@127.0.0.1:${1:-$port}
}

# repository NAME: a working tree NAME. `publish NAME` commits what changed there, if anything, puts all branches and tags into
# git/NAME.git and prints the commit's id.
repository() {
  git init -q "$1" && git init -q --bare "git/$1.git" && git -C "$1" remote add origin "$work/git/$1.git"
}
publish() {
  git -C "$1" add -A
  git -C "$1" diff --cached --quiet || git -C "$1" commit -q -m change
  git -C "$1" push -q --force origin --all
  git -C "$1" push -q --force origin --tags
  git -C "$1" rev-parse HEAD
}
