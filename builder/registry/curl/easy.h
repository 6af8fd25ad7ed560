// SPDX-License-Identifier: Apache-2.0
// RAII for libcurl: a Connection is an easy handle in a multi handle of its own. The multi keeps
// the sockets open between requests, and its poll can wait for a cancel descriptor beside them.
// Move-only, thread-compatible.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>

namespace mybuild::registry {

struct EasyDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct MultiDeleter {
  void operator()(CURLM* handle) const { curl_multi_cleanup(handle); }
};
struct HeaderListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, HeaderListDeleter>;

struct Connection {
  std::unique_ptr<CURLM, MultiDeleter> multi{curl_multi_init()};
  std::unique_ptr<CURL, EasyDeleter> easy{curl_easy_init()};
  std::string origin;  // whom it spoke to last, "https://host:port"
};

}  // namespace mybuild::registry
