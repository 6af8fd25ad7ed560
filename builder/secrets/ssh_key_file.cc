// SPDX-License-Identifier: Apache-2.0
#include "builder/secrets/agent_protocol.h"
#include "builder/secrets/ssh_key.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include <array>

namespace mybuild::secrets {

namespace {

constexpr std::string_view kOpenSshMagic("openssh-key-v1\0", 15);

template <class T, void (*Release)(T*)>
struct Free {
  void operator()(T* object) const { Release(object); }
};
template <class T, void (*Release)(T*)>
using Owned = std::unique_ptr<T, Free<T, Release>>;
using Number = Owned<BIGNUM, BN_clear_free>;
using Builder = Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using Params = Owned<OSSL_PARAM, OSSL_PARAM_free>;
using Context = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using SharedKey = std::shared_ptr<EVP_PKEY>;

Error no_key() {
  return invalid_argument("no private key found").with_hint("it takes OpenSSH and PEM key files");
}

Error locked() {
  return unsupported("this private key is passphrase protected")
      .with_hint("load it into an ssh-agent and say --ssh default");
}

Error damaged() {
  return invalid_argument("the private key is damaged");
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Number to_number(std::string_view bytes) {
  return Number(BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr));
}

/// A key from the numbers in `builder`, checked by OpenSSL.
Result<SharedKey> from_numbers(const char* kind, OSSL_PARAM_BLD* builder) {
  const Params params(OSSL_PARAM_BLD_to_param(builder));
  const Context context(EVP_PKEY_CTX_new_from_name(nullptr, kind, nullptr));
  EVP_PKEY* key = nullptr;
  if (params == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, params.get()) != 1) {
    return damaged();
  }
  return SharedKey(key, &EVP_PKEY_free);
}

Result<SharedKey> read_ed25519(WireReader& fields) {
  constexpr std::size_t kSeed = 32;
  const auto shown = fields.string();
  const auto secret = fields.string();  // the seed, then the public key again
  if (!shown || !secret || secret->size() != 2 * kSeed) {
    return damaged();
  }
  EVP_PKEY* key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, bytes_of(*secret), kSeed);
  if (key == nullptr) {
    return damaged();
  }
  return SharedKey(key, &EVP_PKEY_free);
}

Result<SharedKey> read_rsa(WireReader& fields) {
  constexpr std::array kNames = {OSSL_PKEY_PARAM_RSA_N, OSSL_PKEY_PARAM_RSA_E,
                                 OSSL_PKEY_PARAM_RSA_D};
  const Builder builder(OSSL_PARAM_BLD_new());
  std::array<Number, kNames.size()> numbers;
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    const auto bytes = fields.string();
    numbers[i] = bytes ? to_number(*bytes) : nullptr;
    if (numbers[i] == nullptr ||
        OSSL_PARAM_BLD_push_BN(builder.get(), kNames[i], numbers[i].get()) != 1) {
      return damaged();
    }
  }
  for (int skipped = 0; skipped < 3; ++skipped) {  // what only makes it faster
    if (!fields.string()) {
      return damaged();
    }
  }
  return from_numbers("RSA", builder.get());
}

/// "nistp256": OpenSSL says "P-256".
std::string group_of(std::string_view curve) {
  constexpr std::string_view kNist = "nistp";
  return curve.starts_with(kNist) ? "P-" + std::string(curve.substr(kNist.size())) : "";
}

Result<SharedKey> read_ecdsa(WireReader& fields) {
  const auto curve = fields.string();
  const auto point = fields.string();
  const auto scalar = fields.string();
  if (!curve || !point || !scalar) {
    return damaged();
  }
  const std::string group = group_of(*curve);
  const Number secret = to_number(*scalar);
  const Builder builder(OSSL_PARAM_BLD_new());
  if (OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, group.c_str(),
                                      0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point->data(),
                                       point->size()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, secret.get()) != 1) {
    return damaged();
  }
  return from_numbers("EC", builder.get());
}

struct Kind {
  std::string_view name;
  Result<SharedKey> (*read)(WireReader& fields);
};
constexpr std::array kKinds = {Kind{"ssh-ed25519", read_ed25519}, Kind{"ssh-rsa", read_rsa},
                               Kind{"ecdsa-sha2-nistp256", read_ecdsa},
                               Kind{"ecdsa-sha2-nistp384", read_ecdsa},
                               Kind{"ecdsa-sha2-nistp521", read_ecdsa}};

/// The part with the secret numbers: two equal check words, the key, its comment, padding.
Result<SshKey> read_private_part(std::string_view bytes) {
  WireReader fields(bytes);
  const auto check = fields.number();
  const auto again = fields.number();
  const auto name = fields.string();
  if (!check || check != again || !name) {
    return damaged();
  }
  for (const Kind& kind : kKinds) {
    if (kind.name == *name) {
      SharedKey key = TRY(kind.read(fields));
      const auto comment = fields.string();
      return SshKey::wrap(std::move(key), std::string(comment.value_or("")));
    }
  }
  return unsupported("keys of kind {} are not supported", *name);
}

Result<SshKey> parse_openssh(std::string_view bytes) {
  if (!bytes.starts_with(kOpenSshMagic)) {
    return damaged();
  }
  WireReader fields(bytes.substr(kOpenSshMagic.size()));
  const auto cipher = fields.string();
  const auto derivation = fields.string();
  const auto derivation_options = fields.string();
  const auto count = fields.number();
  const auto shown = fields.string();
  const auto secret = fields.string();
  if (!cipher || !derivation || !derivation_options || !count || !shown || !secret) {
    return damaged();
  }
  if (*cipher != "none") {
    return locked();
  }
  return read_private_part(*secret);
}

/// What lies between the first BEGIN and END lines, decoded.
struct Pem {
  std::string name;
  std::string header;
  std::string bytes;
};

Result<Pem> first_block(std::string_view text) {
  const Owned<BIO, BIO_free_all> input(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  if (input == nullptr || PEM_read_bio(input.get(), &name, &header, &data, &size) != 1) {
    return no_key();
  }
  Pem pem{
      .name = name,
      .header = header,
      .bytes = std::string(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size))};
  OPENSSL_free(name);
  OPENSSL_free(header);
  OPENSSL_clear_free(data, static_cast<std::size_t>(size));
  return pem;
}

int no_passphrase(char*, int, int, void*) {
  return -1;
}

Result<SshKey> parse_pem(std::string_view text, const std::string& comment) {
  const Owned<BIO, BIO_free_all> input(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  SharedKey key(PEM_read_bio_PrivateKey(input.get(), nullptr, no_passphrase, nullptr),
                &EVP_PKEY_free);
  if (key == nullptr) {
    return damaged();
  }
  return SshKey::wrap(std::move(key), comment);
}

}  // namespace

Result<SshKey> parse_key_file(std::string_view text, const std::string& comment) {
  const Pem pem = TRY(first_block(text));
  if (pem.name == "OPENSSH PRIVATE KEY") {
    return parse_openssh(pem.bytes);
  }
  if (pem.name == "ENCRYPTED PRIVATE KEY" || pem.header.find("ENCRYPTED") != std::string::npos) {
    return locked();
  }
  if (!pem.name.ends_with("PRIVATE KEY")) {
    return no_key();
  }
  return parse_pem(text, comment);
}

}  // namespace mybuild::secrets
