// SPDX-License-Identifier: Apache-2.0
// What a libcurl failure means to the callers of a Transport.
#pragma once

#include "snapshotter/base/error.h"

#include <curl/curl.h>

#include <string_view>

namespace mybuild::registry {

/// `what` names the request; `detail` is curl's own text and may be empty.
Error curl_error(CURLcode code, std::string_view what, std::string_view detail);

}  // namespace mybuild::registry
