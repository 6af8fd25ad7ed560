// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/archive/codec.h"
#include "snapshotter/archive/inflate.h"
#include "snapshotter/archive/libarchive.h"

#include <zstd.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

namespace mybuild::snapshotter {

namespace {

constexpr std::size_t kInputBuffer = 256 * 1024;
constexpr std::size_t kMagicSize = 10;

Error truncated(std::string_view format) {
  return data_loss("{} data ends early", format);
}

/// A source with a few bytes read ahead.
class PeekedSource final : public Source {
 public:
  explicit PeekedSource(Source& source) : source_(source) {}

  Result<ByteSpan> peek() {
    while (size_ < head_.size()) {
      const std::size_t count = TRY(source_.read(MutableByteSpan(head_).subspan(size_)));
      if (count == 0) {
        break;
      }
      size_ += count;
    }
    return ByteSpan(head_).first(size_);
  }
  Result<std::size_t> read(MutableByteSpan buffer) override {
    if (taken_ == size_) {
      return source_.read(buffer);
    }
    const std::size_t count = std::min(buffer.size(), size_ - taken_);
    std::copy_n(head_.begin() + static_cast<std::ptrdiff_t>(taken_), count, buffer.begin());
    taken_ += count;
    return count;
  }

 private:
  Source& source_;
  std::array<std::byte, kMagicSize> head_{};
  std::size_t size_ = 0;
  std::size_t taken_ = 0;
};

using Input = std::unique_ptr<PeekedSource>;

/// The compressed bytes not yet taken by a decoder.
class InputBuffer {
 public:
  explicit InputBuffer(Input input) : input_(std::move(input)), bytes_(kInputBuffer) {}

  /// Has at least one byte afterwards, but for the end of the input.
  Result<bool> fill() {
    if (begin_ == end_) {
      begin_ = 0;
      end_ = TRY(input_->read(bytes_));
    }
    return begin_ != end_;
  }
  ByteSpan rest() const { return ByteSpan(bytes_).subspan(begin_, end_ - begin_); }
  void take(std::size_t count) { begin_ += count; }

 private:
  Input input_;
  std::vector<std::byte> bytes_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

/// gzip members in a row; ISA-L checks CRC and length of each. What was decoded is handed out
/// before an error is told, so that a damaged archive is not taken for no archive.
class GzipSource final : public Source {
 public:
  explicit GzipSource(Input input)
      : input_(std::move(input)), state_(std::make_unique<inflate_state>()) {
    reset();
  }

  Result<std::size_t> read(MutableByteSpan buffer) override {
    while (!buffer.empty()) {
      if (damage_) {
        return *damage_;
      }
      const bool more = TRY(input_.fill());
      if (!more && !in_member_) {
        return std::size_t{0};
      }
      const std::size_t produced = TRY(inflate_some(buffer));
      if (produced != 0) {
        return produced;
      }
    }
    return std::size_t{0};
  }

 private:
  void reset() {
    isal_inflate_init(state_.get());
    state_->crc_flag = ISAL_GZIP;
    in_member_ = false;
  }

  Result<std::size_t> inflate_some(MutableByteSpan buffer) {
    const ByteSpan input = input_.rest();
    const std::size_t room =
        std::min<std::size_t>(buffer.size(), std::numeric_limits<std::uint32_t>::max());
    state_->next_in = reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(input.data()));
    state_->avail_in = static_cast<std::uint32_t>(input.size());
    state_->next_out = reinterpret_cast<std::uint8_t*>(buffer.data());
    state_->avail_out = static_cast<std::uint32_t>(room);
    in_member_ = true;
    const int code = inflate_step(*state_);
    const std::size_t produced = room - state_->avail_out;
    if (code != ISAL_DECOMP_OK && code != ISAL_END_INPUT) {
      damage_ = data_loss("corrupt gzip data (code {})", code);
      return produced;
    }
    const std::size_t consumed = input.size() - state_->avail_in;
    input_.take(consumed);
    if (state_->block_state == ISAL_BLOCK_FINISH) {
      reset();
    } else if (produced == 0 && consumed == 0 && input.empty()) {
      return truncated("gzip");
    }
    return produced;
  }

  InputBuffer input_;
  std::unique_ptr<inflate_state> state_;
  std::optional<Error> damage_;
  bool in_member_ = false;
};

class ZstdSource final : public Source {
 public:
  explicit ZstdSource(Input input) : input_(std::move(input)), context_(ZSTD_createDCtx()) {}

  Result<std::size_t> read(MutableByteSpan buffer) override {
    ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
    while (out.pos == 0 && out.size != 0) {
      const bool more = TRY(input_.fill());
      if (!more && !in_frame_) {
        return std::size_t{0};
      }
      const ByteSpan rest = input_.rest();
      ZSTD_inBuffer in{rest.data(), rest.size(), 0};
      const std::size_t hint = ZSTD_decompressStream(context_.get(), &out, &in);
      if (ZSTD_isError(hint) != 0) {
        return data_loss("corrupt zstd data: {}", ZSTD_getErrorName(hint));
      }
      input_.take(in.pos);
      in_frame_ = hint != 0;
      if (!more && out.pos == 0 && in_frame_) {
        return truncated("zstd");
      }
    }
    return out.pos;
  }

 private:
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  InputBuffer input_;
  std::unique_ptr<ZSTD_DCtx, Free> context_;
  bool in_frame_ = false;
};

/// bzip2 and xz, which only ADD meets: libarchive's own decoders, around a format that is any
/// bytes.
class LibarchiveSource final : public Source {
 public:
  using Filter = decltype(Libarchive::read_support_filter_xz);
  LibarchiveSource(const Libarchive& api, Input input)
      : api_(api),
        input_(std::move(input)),
        buffer_(kInputBuffer),
        archive_(api_.read_new(), api_.read_free) {}

  Status open(Filter filter) {
    api_.read_support_format_raw(archive_.get());
    api_.read_support_format_empty(archive_.get());
    if (filter(archive_.get()) != ARCHIVE_OK) {
      return unsupported("libarchive was built without this decoder: {}",
                         api_.error_string(archive_.get()));
    }
    if (api_.read_open(archive_.get(), this, nullptr, &LibarchiveSource::supply, nullptr) !=
        ARCHIVE_OK) {
      return failure();
    }
    struct archive_entry* entry = nullptr;
    const int code = api_.read_next_header(archive_.get(), &entry);
    ended_ = code == ARCHIVE_EOF;
    return code == ARCHIVE_OK || ended_ ? Status() : failure();
  }

  Result<std::size_t> read(MutableByteSpan buffer) override {
    if (ended_) {
      return std::size_t{0};
    }
    const la_ssize_t count = api_.read_data(archive_.get(), buffer.data(), buffer.size());
    if (count < 0) {
      return failure();
    }
    return static_cast<std::size_t>(count);
  }

 private:
  static la_ssize_t supply(struct archive*, void* self, const void** bytes) {
    auto& source = *static_cast<LibarchiveSource*>(self);
    Result<std::size_t> count = source.input_->read(source.buffer_);
    if (!count) {
      source.input_error_ = std::move(count).error();
      return ARCHIVE_FATAL;
    }
    *bytes = source.buffer_.data();
    return static_cast<la_ssize_t>(*count);
  }

  Error failure() const {
    if (input_error_) {
      return *input_error_;
    }
    const char* text = api_.error_string(archive_.get());
    return data_loss("corrupt compressed data: {}", text == nullptr ? "unknown cause" : text);
  }

  const Libarchive api_;
  Input input_;
  std::vector<std::byte> buffer_;
  std::unique_ptr<struct archive, decltype(Libarchive::read_free)> archive_;
  std::optional<Error> input_error_;
  bool ended_ = false;
};

Result<std::unique_ptr<Source>> open_libarchive(Input input,
                                                LibarchiveSource::Filter Libarchive::*filter) {
  const Libarchive api = TRY(Libarchive::load());
  auto source = std::make_unique<LibarchiveSource>(api, std::move(input));
  TRY(source->open(api.*filter));
  return std::unique_ptr<Source>(std::move(source));
}

using Opener = Result<std::unique_ptr<Source>> (*)(Input);

Result<std::unique_ptr<Source>> open_gzip(Input input) {
  return std::unique_ptr<Source>(std::make_unique<GzipSource>(std::move(input)));
}
Result<std::unique_ptr<Source>> open_zstd(Input input) {
  return std::unique_ptr<Source>(std::make_unique<ZstdSource>(std::move(input)));
}
Result<std::unique_ptr<Source>> open_bzip2(Input input) {
  return open_libarchive(std::move(input), &Libarchive::read_support_filter_bzip2);
}
Result<std::unique_ptr<Source>> open_xz(Input input) {
  return open_libarchive(std::move(input), &Libarchive::read_support_filter_xz);
}

struct Magic {
  std::string_view bytes;  // '?' stands for any byte
  Opener open;
};
constexpr Magic kMagics[] = {
    {"\x1f\x8b\x08", open_gzip},
    {"\x28\xb5\x2f\xfd", open_zstd},
    {"?\x2a\x4d\x18", open_zstd},  // a skippable frame
    {"BZh?1AY&SY", open_bzip2},
    {"BZh?\x17rE8P\x90", open_bzip2},  // no bytes at all, compressed
    {std::string_view("\xfd"
                      "7zXZ\0",
                      6),
     open_xz},
};

bool matches(std::string_view head, std::string_view magic) {
  return head.size() >= magic.size() &&
         std::equal(magic.begin(), magic.end(), head.begin(),
                    [](char wanted, char have) { return wanted == '?' || wanted == have; });
}

}  // namespace

Result<std::unique_ptr<Source>> make_decompressor(Source& compressed) {
  auto input = std::make_unique<PeekedSource>(compressed);
  const std::string_view head = as_text(TRY(input->peek()));
  for (const Magic& magic : kMagics) {
    if (matches(head, magic.bytes)) {
      return magic.open(std::move(input));
    }
  }
  return std::unique_ptr<Source>(std::move(input));
}

}  // namespace mybuild::snapshotter
