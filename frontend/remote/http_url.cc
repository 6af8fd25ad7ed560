// SPDX-License-Identifier: Apache-2.0
#include "frontend/remote/http_url.h"

namespace mybuild::frontend {

bool is_http_url(std::string_view text) {
  return text.starts_with("http://") || text.starts_with("https://");
}

}  // namespace mybuild::frontend
