# A program as its author wrote it: curl.
set -eu
post() {
    curl -sS "$@" https://api.xhuoapi.ai/v1/openai/images/generations -H 'Content-Type: application/json' \
        -d '{"model": "gpt-image-2", "prompt": "a fox"}'
}
url=$(post -H 'Authorization: Bearer k' | sed 's/.*"url":"\([^"]*\)".*/\1/')
[ -n "$url" ] || exit 1
picture=$(curl -sS "$url" | base64 | tr -d '\n')
error=0
post --fail -H 'Authorization: Bearer k-mock-402' 2>/dev/null || error=$?
printf '{"url": "%s", "picture": "%s", "error": "%s"}\n' "$url" "$picture" "$error"
