#!/bin/sh
# Makes the secrets that compose.yaml mounts, once: what is there already is left as it is.
# usage: deploy/secrets.sh [FOLDER]   (default: secrets beside compose.yaml)
set -eu
folder=${1:-$(dirname "$0")/../secrets}
mkdir -p "$folder"
# The folder keeps other people of the host out; the files must be read by the containers' users, who are not its owner.
chmod 700 "$folder"
umask 022

random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
keep() { # name, text
  [ -s "$folder/$1" ] || printf '%s\n' "$2" >"$folder/$1"
}

for name in postgres_password superset_metadata_password ray_token s3_secret_key superset_key superset_admin_password; do
  keep "$name" "$(random)"
done
keep s3_access_key controlroom
keep database_url "postgresql://controlroom:$(cat "$folder/postgres_password")@postgres:5432/controlroom"
keep superset_metadata_url \
  "postgresql://controlroom_superset:$(cat "$folder/superset_metadata_password")@postgres:5432/controlroom_superset"
keep s3_identities "$(
  cat <<JSON
{"identities": [{"name": "controlroom", "actions": ["Admin", "Read", "Write", "List", "Tagging"],
  "credentials": [{"accessKey": "$(cat "$folder/s3_access_key")", "secretKey": "$(cat "$folder/s3_secret_key")"}]}]}
JSON
)"
echo "secrets are in $folder"
