// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/progress/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace mybuild::progress {

namespace {

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

/// The first of LC_ALL, LC_CTYPE and LANG that is set decides, as in setlocale(3).
bool locale_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    if (const std::string_view value = environment(name); !value.empty()) {
      for (const std::string_view suffix : {"UTF-8", "utf8", "UTF8", "utf-8"}) {
        if (value.find(suffix) != std::string_view::npos) {
          return true;
        }
      }
      return false;
    }
  }
  return false;
}

}  // namespace

WindowSize window_size(int fd) {
  struct winsize size {};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
    return {};
  }
  return {.columns = size.ws_col, .rows = size.ws_row};
}

TerminalTraits terminal_traits(int fd) {
  TerminalTraits traits;
  traits.is_terminal = ::isatty(fd) != 0;
  const std::string_view term = environment("TERM");
  traits.can_redraw = traits.is_terminal && !term.empty() && term != "dumb";
  traits.color = traits.can_redraw && environment("NO_COLOR").empty();
  traits.unicode = locale_is_utf8();
  return traits;
}

}  // namespace mybuild::progress
