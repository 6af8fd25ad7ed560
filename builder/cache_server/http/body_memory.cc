// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/http/body_memory.h"

namespace mybuild::cache_server {

bool BodyMemory::Share::hold(std::uint64_t bytes) {
  if (bytes <= taken_) {
    return true;
  }
  if (!memory_.take(payer_, static_cast<std::size_t>(bytes) - taken_)) {
    return false;
  }
  taken_ = static_cast<std::size_t>(bytes);
  return true;
}

bool BodyMemory::take(const std::string& payer, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  const auto known = taken_.find(payer);
  const std::size_t has = known == taken_.end() ? 0 : known->second;
  if (bytes > left_ || has + bytes > left_ - bytes) {
    return false;
  }
  left_ -= bytes;
  taken_[payer] += bytes;
  return true;
}

void BodyMemory::give_back(const std::string& payer, std::size_t bytes) {
  if (bytes == 0) {
    return;
  }
  const std::lock_guard lock(mutex_);
  left_ += bytes;
  const auto entry = taken_.find(payer);
  entry->second -= bytes;
  if (entry->second == 0) {
    taken_.erase(entry);
  }
}

}  // namespace mybuild::cache_server
