// SPDX-License-Identifier: Apache-2.0
#include "builder/secrets/given_secrets.h"

#include "builder/secrets/limited_read.h"
#include "snapshotter/base/sys.h"

#include <cstdlib>
#include <map>
#include <mutex>

namespace mybuild::secrets {

namespace {

struct Given {
  std::mutex mutex;
  Fd file;                                   // until it is read
  bool is_at_hand = true;                    // no pipe, no device
  std::optional<Result<std::string>> value;  // once it was
};

class GivenSecrets final : public SecretSource {
 public:
  Status add(const SecretSpec& spec) {
    auto given = std::make_unique<Given>();
    if (!spec.env.empty()) {
      given->value = TRY(value_of(spec.env));
    } else {
      given->file = TRY(open_for_reading(spec.file, kMaxSecret));
      const struct stat info = TRY(sys::fstat(given->file.get()));
      given->is_at_hand = S_ISREG(info.st_mode);
    }
    given_.insert_or_assign(spec.id, std::move(given));
    return {};
  }

  Result<std::optional<std::string>> get(const std::string& id, const Cancel& cancel) override {
    const auto found = given_.find(id);
    if (found == given_.end()) {
      return std::optional<std::string>();
    }
    Given& given = *found->second;
    const std::scoped_lock lock(given.mutex);
    if (!given.value) {
      given.value =
          read_limited(given.file.get(), kMaxSecret, cancel).context(fmt::format("secret {}", id));
      given.file.reset();
    }
    if (!*given.value) {
      return given.value->error();
    }
    return std::optional(given.value->value());
  }

  std::vector<std::string> ids() const override {
    std::vector<std::string> ids;
    for (const auto& [id, given] : given_) {
      ids.push_back(id);
    }
    return ids;
  }

  std::vector<std::string> ids_at_hand() const override {
    std::vector<std::string> ids;
    for (const auto& [id, given] : given_) {
      if (given->is_at_hand) {
        ids.push_back(id);
      }
    }
    return ids;
  }

 private:
  static Result<std::string> value_of(const std::string& variable) {
    const char* value = std::getenv(variable.c_str());
    std::string text = value == nullptr ? "" : value;
    if (text.size() > kMaxSecret) {
      return invalid_argument("too big. max size {}KB", kMaxSecret >> 10U);
    }
    return text;
  }

  std::map<std::string, std::unique_ptr<Given>> given_;
};

SecretSpec with_source(SecretSpec spec) {
  if (spec.env.empty() && spec.file.empty()) {
    (std::getenv(spec.id.c_str()) != nullptr ? spec.env : spec.file) = spec.id;
  }
  return spec;
}

}  // namespace

Result<std::unique_ptr<SecretSource>> open_secrets(const std::vector<SecretSpec>& specs) {
  auto secrets = std::make_unique<GivenSecrets>();
  for (const SecretSpec& spec : specs) {
    TRY(secrets->add(with_source(spec)).context(fmt::format("secret {}", spec.id)));
  }
  return std::unique_ptr<SecretSource>(std::move(secrets));
}

}  // namespace mybuild::secrets
