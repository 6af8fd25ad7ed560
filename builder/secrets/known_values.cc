// SPDX-License-Identifier: Apache-2.0
#include "builder/secrets/known_values.h"

#include "snapshotter/base/base64.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace mybuild::secrets {

namespace {

constexpr std::size_t kLeastValue = 4;
/// Shorter ones are in files by chance.
constexpr std::size_t kLeastForm = 8;
constexpr std::size_t kLeastLine = 16;
/// More are no key but a document.
constexpr std::size_t kMostLines = 256;
constexpr std::string_view kMask = "***";
constexpr unsigned kHashBits = 12;

/// Of the first four bytes: no form has fewer.
std::size_t hash_of(const char* text) {
  std::uint32_t bytes = 0;
  std::memcpy(&bytes, text, sizeof bytes);
  return (bytes * 2654435761U) >> (32U - kHashBits);
}

std::string_view trimmed(std::string_view line) {
  const std::size_t start = std::min(line.find_first_not_of(" \t\r"), line.size());
  line.remove_prefix(start);
  return line.substr(0, line.find_last_not_of(" \t\r") + 1);
}

/// "-----BEGIN PRIVATE KEY-----" is in many files, and no secret.
bool is_armour(std::string_view line) {
  return line.starts_with("-----") && line.ends_with("-----");
}

/// What of the text depends on nothing but the value, with `before` bytes of the group before it.
std::string inner_base64(std::string_view value, std::size_t before) {
  const std::string whole = base64_encode(std::string(before, '\0') + std::string(value));
  const std::size_t first = (before * 8 + 5) / 6;
  const std::size_t end = (before + value.size()) * 8 / 6;
  return whole.substr(first, end - first);
}

std::string url_alphabet(std::string text) {
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

std::string upper_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return text;
}

class NotedSecrets final : public SecretSource {
 public:
  NotedSecrets(SecretSource& source, KnownValues& known) : source_(source), known_(known) {}
  Result<std::optional<std::string>> get(const std::string& id, const Cancel& cancel) override {
    std::optional<std::string> value = TRY(source_.get(id, cancel));
    if (value) {
      known_.add(*value);
    }
    return value;
  }
  std::vector<std::string> ids() const override { return source_.ids(); }
  std::vector<std::string> ids_at_hand() const override { return source_.ids_at_hand(); }

 private:
  SecretSource& source_;
  KnownValues& known_;
};

}  // namespace

void KnownValues::add(std::string_view value) {
  while (value.ends_with('\n') || value.ends_with('\r')) {
    value.remove_suffix(1);
  }
  const std::lock_guard lock(mutex_);
  add_one(value);
  std::size_t lines = 0;
  while (value.find('\n') != std::string_view::npos || lines > 0) {
    const std::size_t end = std::min(value.find('\n'), value.size());
    const std::string_view line = trimmed(value.substr(0, end));
    if (line.size() >= kLeastLine && !is_armour(line)) {
      add_one(line);
    }
    if (end == value.size() || ++lines == kMostLines) {
      break;
    }
    value.remove_prefix(end + 1);
  }
  std::stable_sort(values_.begin(), values_.end(),
                   [](const auto& one, const auto& other) { return one.size() > other.size(); });
}

/// With the lock.
void KnownValues::add_one(std::string_view value) {
  if (value.size() < kLeastValue ||
      std::find(values_.begin(), values_.end(), value) != values_.end()) {
    return;
  }
  values_.emplace_back(value);
}

std::vector<std::string> KnownValues::values() const {
  const std::lock_guard lock(mutex_);
  return values_;
}

bool KnownValues::empty() const {
  const std::lock_guard lock(mutex_);
  return values_.empty();
}

std::string KnownValues::masked(std::string text) const {
  mask_values(text, values());
  return text;
}

void mask_values(std::string& text, const std::vector<std::string>& values) {
  for (const std::string& value : values) {
    for (std::size_t at = text.find(value); at != std::string::npos;
         at = text.find(value, at + kMask.size())) {
      text.replace(at, value.size(), kMask);
    }
  }
}

std::unique_ptr<SecretSource> note_values(SecretSource& source, KnownValues& known) {
  return std::make_unique<NotedSecrets>(source, known);
}

std::vector<std::string> forms_of(std::string_view value) {
  const std::string hex = to_hex(as_bytes(value));
  std::vector<std::string> forms = {std::string(value), hex, upper_case(hex)};
  for (const std::size_t before : {0U, 1U, 2U}) {
    std::string inner = inner_base64(value, before);
    if (before == 0 && inner.size() < kLeastForm) {
      inner = base64_encode(value);
    }
    if (inner.size() >= kLeastForm) {
      forms.push_back(url_alphabet(inner));
      forms.push_back(std::move(inner));
    }
  }
  std::sort(forms.begin(), forms.end());
  forms.erase(std::unique(forms.begin(), forms.end()), forms.end());
  return forms;
}

ValueScan::ValueScan(const std::vector<std::string>& values) : forms_(1U << kHashBits) {
  for (const std::string& value : values) {
    for (std::string& form : forms_of(value)) {
      longest_ = std::max(longest_, form.size());
      forms_[hash_of(form.data())].push_back(std::move(form));
    }
  }
}

bool ValueScan::is_in(std::string_view text) const {
  // One pass, however many forms there are.
  for (std::size_t at = 0; at + kLeastValue <= text.size(); ++at) {
    const std::vector<std::string>& forms = forms_[hash_of(text.data() + at)];
    const bool is_here = std::any_of(forms.begin(), forms.end(), [&](const std::string& form) {
      return text.substr(at, form.size()) == form;
    });
    if (is_here) {
      return true;
    }
  }
  return false;
}

Status ValueScan::write(ByteSpan bytes) {
  if (found_ || longest_ == 0) {
    return {};
  }
  const std::string_view text = as_text(bytes);
  const std::size_t overlap = longest_ - 1;
  tail_ += text.substr(0, overlap);
  found_ = is_in(tail_) || is_in(text);
  if (text.size() >= overlap) {
    tail_ = text.substr(text.size() - overlap);
  } else if (tail_.size() > overlap) {
    tail_.erase(0, tail_.size() - overlap);
  }
  return {};
}

}  // namespace mybuild::secrets
