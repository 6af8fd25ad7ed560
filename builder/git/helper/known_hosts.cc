// SPDX-License-Identifier: Apache-2.0
#include "builder/git/helper/known_hosts.h"

#include "snapshotter/base/base64.h"
#include "snapshotter/base/digest.h"
#include "snapshotter/base/file.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <fcntl.h>

#include <algorithm>
#include <cctype>

namespace mybuild::git {

namespace {

constexpr std::size_t kLongestFile = std::size_t{16} << 20U;

std::string_view next_word(std::string_view& rest) {
  const std::size_t start = std::min(rest.find_first_not_of(" \t\r"), rest.size());
  const std::size_t end = std::min(rest.find_first_of(" \t\r", start), rest.size());
  const std::string_view word = rest.substr(start, end - start);
  rest.remove_prefix(end);
  return word;
}

/// "|1|salt|hash": HMAC-SHA1 of the name.
bool hash_matches(std::string_view entry, const std::string& host) {
  const std::size_t bar = entry.find('|', 3);
  if (!entry.starts_with("|1|") || bar == std::string_view::npos) {
    return false;
  }
  const std::string salt = base64_decode(entry.substr(3, bar - 3)).value_or("");
  const std::string hash = base64_decode(entry.substr(bar + 1)).value_or("");
  unsigned char made[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha1(), salt.data(), static_cast<int>(salt.size()),
       reinterpret_cast<const unsigned char*>(host.data()), host.size(), made, &size);
  return hash == std::string_view(reinterpret_cast<char*>(made), size);
}

bool glob(std::string_view pattern, std::string_view name) {
  std::size_t star = std::string_view::npos;
  std::size_t retry = 0;
  std::size_t p = 0;
  std::size_t n = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      retry = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++retry;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

bool names(std::string_view list, const std::string& host) {
  if (list.starts_with('|')) {
    return hash_matches(list, host);
  }
  bool found = false;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    std::string pattern(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
    std::transform(pattern.begin(), pattern.end(), pattern.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const bool negated = pattern.starts_with('!');
    if (glob(std::string_view(pattern).substr(negated ? 1 : 0), host)) {
      if (negated) {
        return false;
      }
      found = true;
    }
  }
  return found;
}

}  // namespace

void KnownHosts::load(const std::string& path) {
  const Result<std::string> text = read_regular_file(AT_FDCWD, path, kLongestFile);
  if (text) {
    add(*text);
  }
}

void KnownHosts::add(std::string_view text) {
  text_.append(text);
  if (!text.empty() && !text.ends_with('\n')) {
    text_ += '\n';
  }
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view rest = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    std::string_view word = next_word(rest);
    if (word.empty() || word.starts_with('#')) {
      continue;
    }
    Line line;
    if (word.starts_with('@')) {
      line.marker = word;
      word = next_word(rest);
    }
    line.hosts = word;
    next_word(rest);  // the type is in the key as well
    line.key = base64_decode(next_word(rest)).value_or("");
    if (!line.key.empty()) {
      lines_.push_back(std::move(line));
    }
  }
}

HostKey KnownHosts::check(const std::string& host, std::string_view key) const {
  HostKey answer = HostKey::Unknown;
  for (const Line& line : lines_) {
    if (line.marker == "@cert-authority" || !names(line.hosts, host)) {
      continue;
    }
    if (line.marker == "@revoked") {
      if (line.key == key) {
        return HostKey::Revoked;
      }
    } else if (line.key == key) {
      answer = HostKey::Known;
    } else if (answer == HostKey::Unknown) {
      answer = HostKey::Differs;
    }
  }
  return answer;
}

std::vector<std::string> KnownHosts::keys_of(const std::string& host) const {
  std::vector<std::string> keys;
  for (const Line& line : lines_) {
    if (line.marker.empty() && names(line.hosts, host)) {
      keys.push_back(line.key);
    }
  }
  return keys;
}

std::string known_hosts_name(const std::string& host, const std::string& port) {
  std::string name = host;
  if (name.starts_with('[') && name.ends_with(']')) {
    name = name.substr(1, name.size() - 2);
  }
  return port.empty() || port == "22" ? name : fmt::format("[{}]:{}", name, port);
}

std::string fingerprint(std::string_view key) {
  const Digest digest = Digest::of(key);
  std::string text = base64_encode(as_text(digest.bytes));
  text.erase(text.find_last_not_of('=') + 1);
  return "SHA256:" + text;
}

}  // namespace mybuild::git
