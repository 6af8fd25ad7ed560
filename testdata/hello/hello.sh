#!/bin/sh
cat /srv/banner "$GREETINGS"
