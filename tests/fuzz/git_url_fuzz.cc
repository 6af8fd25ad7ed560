// SPDX-License-Identifier: Apache-2.0
// Git references and URLs, as a Dockerfile and the command line say them.
#include "frontend/remote/git_url.h"

#include "frontend/remote/http_url.h"
#include "tests/fuzz/fuzz.h"

#include <algorithm>

namespace mybuild::fuzz {

namespace {

using frontend::GitUrl;
using frontend::UrlOrigin;

bool is_printable(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; });
}

bool is_clean(std::string_view path) {
  const std::string framed = "/" + std::string(path) + "/";
  return path.empty() ||
         (framed.find("/../") == std::string::npos && framed.find("/./") == std::string::npos &&
          framed.find("//") == std::string::npos);
}

/// What a program that fetches is given must be what it looks like.
void check_source(const solver::GitSource& source) {
  for (const std::string* text : {&source.remote, &source.ref, &source.subdir, &source.checksum}) {
    require(is_printable(*text), "no control characters are passed on");
    require(!text->starts_with('-') || text == &source.subdir, "nothing looks like an option");
  }
  const auto colon = source.remote.find(':');
  require(colon == std::string::npos || !source.remote.substr(colon).starts_with("::"),
          "no remote helper is named");
  require(source.ref.find_first_of(":^*") == std::string::npos && !source.ref.starts_with('+'),
          "a ref is no refspec");
  require(is_clean(source.subdir), "a directory stays in its repository");
  require(source.checksum.find_first_not_of("0123456789abcdef") == std::string::npos,
          "a checksum is hex");
  const std::string shown = frontend::shown_git(source);
  require(is_printable(shown), "what is shown is printable");
}

/// What was understood once is understood again in the same way.
void check_again(const GitUrl& url, UrlOrigin origin) {
  const auto again = frontend::parse_git_url(url.source.remote, origin, true);
  require(again && again->has_value(), "the remote of a git URL is a git URL");
  require((*again)->source.remote == url.source.remote, "a remote stays as it is");
  require((*again)->source.ref.empty() && (*again)->source.subdir.empty(), "it has no options");
}

void check_git(std::string_view text, UrlOrigin origin, bool known_git) {
  const auto url = frontend::parse_git_url(text, origin, known_git);
  if (!url) {
    require(is_printable(url.error().message()), "an error can be printed");
    return;
  }
  if (!*url) {
    return;
  }
  check_source((*url)->source);
  check_again(**url, origin);
  require(origin == UrlOrigin::CommandLine || !(*url)->source.remote.starts_with("file:"),
          "a Dockerfile names no repository of this machine");
}

void check_http(std::string_view text) {
  const std::string name = frontend::url_file_name(text);
  require(!name.empty() && name != "." && name != ".." && name.size() <= 255 &&
              name.find('/') == std::string::npos && is_printable(name),
          "a file name is one name");
  require(is_printable(frontend::shown_url(text)), "what is shown is printable");
  const auto checked = frontend::check_http_url(text);
  require(!checked || frontend::is_http_url(text), "what passes is a URL");
  const std::string sent = frontend::request_url(text);
  require(!checked || (is_printable(sent) && sent.find(' ') == std::string::npos),
          "nothing that could end a line of a request is sent");
  require(frontend::request_url(sent) == sent, "what can be sent stays as it is");
}

}  // namespace

void run(std::string_view text) {
  for (const UrlOrigin origin : {UrlOrigin::CommandLine, UrlOrigin::Dockerfile}) {
    check_git(text, origin, false);
    check_git(text, origin, true);
  }
  check_http(text);
}

}  // namespace mybuild::fuzz
