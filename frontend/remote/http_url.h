// SPDX-License-Identifier: Apache-2.0
// URLs of files, in ADD and as contexts. Pure, thread-safe.
#pragma once

#include "snapshotter/base/result.h"

#include <string>
#include <string_view>

namespace mybuild::frontend {

bool is_http_url(std::string_view text);
/// An error for what names no host, or holds control characters.
Status check_http_url(std::string_view url);
/// As a server is asked for it: blanks and what is not ASCII as %XX.
std::string request_url(std::string_view url);
/// What ADD calls the file: the last component of the path, "__unnamed__" when there is none. One
/// name of a directory, never "." or "..".
std::string url_file_name(std::string_view url);
/// For messages: without user, password and query, and printable.
std::string shown_url(std::string_view url);

}  // namespace mybuild::frontend
