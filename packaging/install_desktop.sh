#!/bin/sh
# Makes the desktop know Ringscope: menu entry, icon, file type, AppStream metadata.
# Usage: packaging/install_desktop.sh [--remove]      PREFIX=/usr/local or DESTDIR=... for a package; default: ~/.local
set -eu
here=$(cd "$(dirname "$0")" && pwd)
share=${DESTDIR:-}${PREFIX:-$HOME/.local}/share
id=org.ringscope.Ringscope
icon=$here/../resources/icons/ringscope.svg
[ -e "$icon" ] || icon=$here/ringscope.svg

targets="applications/$id.desktop applications/$id.Open.desktop icons/hicolor/scalable/apps/$id.svg mime/packages/$id.xml metainfo/$id.metainfo.xml"
if [ "${1:-}" = --remove ]; then
    for target in $targets; do rm -f "$share/$target"; done
else
    install -Dm644 "$here/$id.desktop" "$share/applications/$id.desktop"
    install -Dm644 "$here/$id.Open.desktop" "$share/applications/$id.Open.desktop"
    install -Dm644 "$icon" "$share/icons/hicolor/scalable/apps/$id.svg"
    install -Dm644 "$here/$id.mime.xml" "$share/mime/packages/$id.xml"
    install -Dm644 "$here/$id.metainfo.xml" "$share/metainfo/$id.metainfo.xml"
fi

# A package's own triggers do this; in DESTDIR there is nothing to refresh.
if [ -z "${DESTDIR:-}" ]; then
    ! command -v update-mime-database >/dev/null || update-mime-database "$share/mime"
    ! command -v update-desktop-database >/dev/null || update-desktop-database -q "$share/applications"
    ! command -v gtk-update-icon-cache >/dev/null || gtk-update-icon-cache -qtf "$share/icons/hicolor" || true
fi
for target in $targets; do
    if [ -e "$share/$target" ]; then echo "$share/$target"; fi
done
