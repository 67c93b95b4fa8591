#!/bin/sh
# Secrets come as files: for each NAME_FILE in the environment, NAME is the file's first line. Then the command.
set -eu
for entry in $(env | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)_FILE=\/run\/secrets\/.*/\1/p'); do
  eval "file=\${${entry}_FILE}"
  if [ ! -r "$file" ]; then
    echo "entrypoint: $file, which ${entry}_FILE names, cannot be read; deploy/secrets.sh makes the secrets" >&2
    exit 1
  fi
  IFS= read -r value <"$file" || [ -n "$value" ]
  export "$entry=$value"
  unset "${entry}_FILE"
done
exec "$@"
