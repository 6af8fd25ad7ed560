// SPDX-License-Identifier: Apache-2.0
#include "builder/secrets/known_values.h"

#include "snapshotter/base/base64.h"

#include <algorithm>
#include <cstring>

namespace mybuild::secrets {

namespace {

constexpr std::size_t kLeastValue = 4;
/// Shorter ones are in files by chance.
constexpr std::size_t kLeastForm = 8;

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
  if (value.size() < kLeastValue ||
      std::find(values_.begin(), values_.end(), value) != values_.end()) {
    return;
  }
  values_.emplace_back(value);
  std::stable_sort(values_.begin(), values_.end(),
                   [](const auto& one, const auto& other) { return one.size() > other.size(); });
}

std::vector<std::string> KnownValues::values() const {
  const std::lock_guard lock(mutex_);
  return values_;
}

bool KnownValues::empty() const {
  const std::lock_guard lock(mutex_);
  return values_.empty();
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

ValueScan::ValueScan(const std::vector<std::string>& values) {
  for (const std::string& value : values) {
    for (std::string& form : forms_of(value)) {
      longest_ = std::max(longest_, form.size());
      forms_.push_back(std::move(form));
    }
  }
}

bool ValueScan::is_in(std::string_view text) const {
  return std::any_of(forms_.begin(), forms_.end(), [&](const std::string& form) {
    return ::memmem(text.data(), text.size(), form.data(), form.size()) != nullptr;
  });
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
