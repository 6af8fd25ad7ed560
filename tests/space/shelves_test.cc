// SPDX-License-Identifier: Apache-2.0
// The collector over a real store.
#include "builder/caches/slots.h"
#include "builder/space/collector.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/content/local_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace mybuild::space {
namespace {

using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Not;

template <class T>
T must(Result<T> result) {
  EXPECT_TRUE(result) << (result ? "" : result.error().message());
  if (!result) {
    std::abort();
  }
  return std::move(result).value();
}
void must(const Status& status) {
  EXPECT_TRUE(status) << (status ? "" : status.error().message());
}

class ShelvesTest : public ::testing::Test {
 protected:
  ShelvesTest() { reopen(); }

  /// As another process would: nothing is leased any more.
  void reopen() {
    containers.reset();
    layers.reset();
    metadata.reset();
    content.reset();
    content = must(snapshotter::make_local_content_store(root));
    metadata = must(snapshotter::Metadata::open(join_path(root, "state.db")));
    layers = must(snapshotter::LayerStore::open(root, *content, *metadata));
    const std::string trash = join_path(root, "trash");
    volumes = run::make_volume_store(join_path(root, "volumes"), trash, clock);
    mounts = std::make_unique<caches::CacheStore>(join_path(root, "cache-mounts"), trash, clock);
    containers = run::make_container_store(
        {.dir = join_path(root, "containers"), .trash_dir = trash}, *volumes, clock);
  }
  Collector collector() {
    return Collector(collector_parts({.root = root,
                                      .content = *content,
                                      .layers = *layers,
                                      .metadata = *metadata,
                                      .containers = *containers,
                                      .cache_mounts = *mounts,
                                      .clock = clock}));
  }
  Item item(const std::string& id) {
    for (Item& item : must(collector().inventory())) {
      if (item.id == id) {
        return std::move(item);
      }
    }
    return {};
  }
  bool has(const std::string& id) { return !item(id).id.empty(); }
  std::vector<std::string> prune(const Rule& rule = {}) {
    reopen();
    std::vector<std::string> ids;
    const std::vector<Rule> rules = {rule};
    const Collected collected = must(collector().collect(rules, [](const Item&) {}, {}));
    for (const Item& item : collected.removed) {
      ids.push_back(item.id);
    }
    must(collector().empty_trash());
    return ids;
  }
  /// A layer with one file.
  Digest layer(const std::string& text) {
    const TempDir draft = must(layers->scratch());
    const std::string dir = join_path(draft.path(), "fs");
    must(make_dirs(dir));
    must(write_file(join_path(dir, "file"), text));
    return must(layers->commit_tree(dir)).diff_id;
  }
  Digest image(const std::string& name, const std::vector<Digest>& diff_ids) {
    std::string ids;
    for (const Digest& diff_id : diff_ids) {
      ids += (ids.empty() ? "\"" : ",\"") + diff_id.str() + "\"";
    }
    const Digest config =
        must(content->put(R"({"architecture":"amd64","os":"linux","rootfs":{"type":"layers",)"
                          R"("diff_ids":[)" +
                          ids + "]}}"))
            .digest;
    must(metadata->put_image({.name = "docker.io/library/" + name + ":latest",
                              .config = config,
                              .created = 1,
                              .size = 1}));
    return config;
  }
  void forget(const std::string& name, const Digest& config) {
    must(metadata->remove_image("docker.io/library/" + name + ":latest", config));
  }
  Digest blob(const std::string& text, std::int64_t age = 0) {
    const Digest digest = must(content->put(text)).digest;
    if (age > 0) {
      const std::string path = join_path(root, "blobs/sha256/" + digest.hex());
      const struct stat info = must(sys::lstat_at(AT_FDCWD, path));
      const struct timespec times[2] = {
          {.tv_sec = info.st_atim.tv_sec - age, .tv_nsec = 0},
          {.tv_sec = info.st_mtim.tv_sec - age, .tv_nsec = info.st_mtim.tv_nsec}};
      EXPECT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
    }
    return digest;
  }
  static oci::Descriptor descriptor(const Digest& digest, std::uint64_t size) {
    oci::Descriptor descriptor;
    descriptor.media_type = "application/vnd.oci.image.layer.v1.tar+gzip";
    descriptor.digest = digest;
    descriptor.size = size;
    return descriptor;
  }

  const TempDir dir_ = TempDir::create().value();
  const std::string root = dir_.path();
  SystemClock clock;
  std::unique_ptr<snapshotter::ContentStore> content;
  std::unique_ptr<snapshotter::Metadata> metadata;
  std::unique_ptr<snapshotter::LayerStore> layers;
  std::unique_ptr<run::VolumeStore> volumes;
  std::unique_ptr<run::ContainerStore> containers;
  std::unique_ptr<caches::CacheStore> mounts;
};

TEST_F(ShelvesTest, AfterRmiOfOneOfTwoImagesOnABaseTheOtherKeepsAllItHas) {
  const Digest base = layer("base");
  const Digest first = layer("one");
  const Digest second = layer("two");
  const Digest one = image("one", {base, first});
  image("two", {base, second});
  EXPECT_THAT(prune(), Not(IsSupersetOf({first.hex()})));
  forget("one", one);
  EXPECT_TRUE(item(first.hex()).reclaimable());
  EXPECT_TRUE(item(base.hex()).needed);
  EXPECT_EQ(prune(), std::vector{first.hex()});
  EXPECT_TRUE(must(layers->tree(std::array{base, second})));
  EXPECT_FALSE(must(layers->tree(std::array{base, first})));
}

TEST_F(ShelvesTest, AContainerKeepsItsLayersWithoutItsImage) {
  const Digest own = layer("own");
  run::ContainerRecord record;
  record.id = std::string(64, 'c');
  record.name = "box";
  record.created = clock.now();
  record.layers = {own};
  record.plan.argv = {"program"};
  auto owned = must(containers->create(record));
  must(owned->begin());
  EXPECT_TRUE(item(own.hex()).needed);
  run::ContainerState state;
  state.status = run::ContainerStatus::Exited;
  must(owned->end(state));
  EXPECT_THAT(prune({.all = true}), Not(testing::Contains(own.hex())));
  EXPECT_TRUE(must(layers->tree(std::array{own})));
}

TEST_F(ShelvesTest, WhatThisOrAnotherProcessUsesStays) {
  const Digest used = layer("used");
  auto other = must(snapshotter::make_local_content_store(root));
  const auto other_layers = must(snapshotter::LayerStore::open(root, *other, *metadata));
  EXPECT_TRUE(must(other_layers->tree(std::array{used})));
  EXPECT_THAT(must(collector().collect(std::vector{Rule{}}, [](const Item&) {}, {})).removed,
              testing::IsEmpty());
  EXPECT_TRUE(must(layers->tree(std::array{used})));
}

TEST_F(ShelvesTest, ABlobThatNothingRefersToGoesWhenItIsOld) {
  const Digest young = blob("young");
  const Digest old = blob("old", 4000);
  EXPECT_TRUE(item(young.hex()).in_use) << "of a pull that runs";
  EXPECT_EQ(item(old.hex()).type, ItemType::Internal);
  EXPECT_EQ(prune(), std::vector{old.hex()});
}

TEST_F(ShelvesTest, AFileBehindAUrlGoesWithWhatIsKnownOfIt) {
  const Digest body = blob("body");
  must(metadata->put_http_file({.request = Digest::of("request"),
                                .content = body,
                                .size = 4,
                                .etag = "\"e\"",
                                .last_modified = "",
                                .created = 5}));
  EXPECT_EQ(item(body.hex()).type, ItemType::Http);
  EXPECT_EQ(prune(), std::vector{body.hex()});
  EXPECT_FALSE(must(metadata->find_http_file(Digest::of("request"))));
}

TEST_F(ShelvesTest, CompressedFormsOfWhatImagesHaveGoOnlyWithAll) {
  const Digest held = layer("held");
  const Digest loose = layer("loose");
  image("app", {held});
  const Digest held_blob = must(layers->ensure_blob(held, {})).digest;
  const Digest loose_blob = must(layers->ensure_blob(loose, {})).digest;
  EXPECT_EQ(item(held_blob.hex()).type, ItemType::Internal);
  EXPECT_EQ(item(loose_blob.hex()).type, ItemType::Regular);
  EXPECT_THAT(prune(), testing::UnorderedElementsAre(loose.hex(), loose_blob.hex()));
  EXPECT_THAT(prune({.all = true}), testing::Contains(held_blob.hex()));
  EXPECT_EQ(must(layers->ensure_blob(held, {})).digest, held_blob) << "it is made again";
}

TEST_F(ShelvesTest, ALayerAsItCameStaysWithTheImage) {
  const Digest base = layer("base");
  const Digest came = blob("as it came");
  must(layers->add_original_blob(base, descriptor(came, 10)));
  const Digest config = image("pulled", {base});
  EXPECT_TRUE(item(came.hex()).needed);
  prune({.all = true});
  EXPECT_TRUE(has(came.hex()));
  forget("pulled", config);
  EXPECT_EQ(item(came.hex()).type, ItemType::Image);
  EXPECT_THAT(prune(), testing::UnorderedElementsAre(base.hex(), came.hex()));
}

TEST_F(ShelvesTest, ManifestsByWhichRegistriesKnowAnImageStayWithIt) {
  const Digest config = image("pushed", {layer("x")});
  const Digest child = blob("a manifest", 4000);
  const Digest index = blob(
      R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[)"
      R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","size":10,"digest":")" +
          child.str() + "\"}]}",
      4000);
  must(metadata->put_repo_digest({.config = config, .repository = "r", .manifest = index}));
  EXPECT_TRUE(prune().empty());
  must(metadata->remove_repo_digests(config));
  must(sys::set_access_time_at(AT_FDCWD, join_path(root, "blobs/sha256/" + index.hex()), 1));
  EXPECT_THAT(prune(), testing::UnorderedElementsAre(index.hex(), child.hex()));
}

TEST_F(ShelvesTest, ABaseThatATagLedToIsOfAnImage) {
  const Digest config = blob("{}", 4000);
  const Digest manifest = blob(
      R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",)"
      R"("config":{"mediaType":"application/vnd.oci.image.config.v1+json","size":2,"digest":")" +
          config.str() + "\"},\"layers\":[]}",
      4000);
  must(metadata->put_resolved(
      {.reference = "docker.io/library/b:1", .platform = "linux/amd64", .manifest = manifest}));
  EXPECT_EQ(item(config.hex()).type, ItemType::Image);
  EXPECT_EQ(item(manifest.hex()).type, ItemType::Image);
}

TEST_F(ShelvesTest, AnImageWhoseConfigIsDamagedNeedsNothing) {
  const Digest own = layer("own");
  const Digest config = image("app", {own});
  const std::string path = join_path(root, "blobs/sha256/" + config.hex());
  must(sys::fchmod_at(AT_FDCWD, path, 0644));
  must(write_file(path, "damaged"));
  EXPECT_TRUE(item(own.hex()).reclaimable());
}

TEST_F(ShelvesTest, ACacheMountThatAStepUsesStays) {
  caches::CacheIdentity identity;
  identity.id = "go";
  const std::string dir = join_path(join_path(root, "cache-mounts"), identity.key());
  must(make_dirs(join_path(dir, "0")));
  must(write_file(join_path(dir, "0/file"), "12345"));
  must(caches::note_use(dir, identity, clock.now() - std::chrono::hours(1)));
  {
    const auto step =
        must(FileLock::try_acquire(caches::slot_lock_path(dir, "0"), FileLock::Mode::Shared));
    EXPECT_TRUE(item(identity.key()).in_use);
    EXPECT_TRUE(prune().empty());
  }
  const Item mount = item(identity.key());
  EXPECT_EQ(mount.size, 5U);
  EXPECT_EQ(mount.description, "cache mount \"go\"");
  must(write_file(join_path(dir, "0/more"), "12345"));
  EXPECT_EQ(item(identity.key()).size, 5U) << "nobody used it, so nobody looked";
  must(caches::note_use(dir, identity, clock.now()));
  EXPECT_EQ(item(identity.key()).size, 10U);
  EXPECT_EQ(prune(), std::vector{identity.key()});
  EXPECT_FALSE(has(identity.key()));
}

TEST_F(ShelvesTest, AMirrorThatIsFetchedIntoStays) {
  const std::string name(64, 'a');
  const std::string dir = join_path(join_path(root, "git"), name);
  must(make_dirs(join_path(dir, "full/objects")));
  must(write_file(join_path(dir, "full/objects/pack"), "1234"));
  must(write_file(join_path(dir, "url"), "https://h.org/r.git\n"));
  {
    const auto fetch = must(FileLock::try_acquire(join_path(dir, "lock"), FileLock::Mode::Shared));
    EXPECT_TRUE(item(name).in_use);
    EXPECT_TRUE(prune().empty());
  }
  EXPECT_EQ(item(name).name, "https://h.org/r.git");
  EXPECT_THAT(item(name).description, HasSubstr("https://h.org/r.git"));
  EXPECT_EQ(prune(), std::vector{name});
  EXPECT_FALSE(has(name));
  EXPECT_TRUE(sys::exists_at(AT_FDCWD, join_path(dir, "lock")));
}

TEST_F(ShelvesTest, WithAllNothingIsRememberedOfEarlierBuilds) {
  const Digest key = Digest::of("key");
  must(metadata->put_record(
      {.definition_key = key, .content_key = key, .output = key, .body = "{}", .created = 1}));
  must(metadata->put_known_build(key, "{}"));
  must(metadata->put_resolved({.reference = "b:1", .platform = "p", .manifest = key}));
  must(write_file(join_path(root, "stat-index"), "1234567"));
  EXPECT_EQ(item("stat-index").size, 7U);
  EXPECT_GT(item("state.db").size, 0U);
  EXPECT_TRUE(prune().empty());
  EXPECT_TRUE(prune({.unused_for = std::chrono::hours(1), .all = true}).empty());
  prune({.all = true});
  EXPECT_TRUE(must(metadata->find_records_by_content(key)).empty());
  EXPECT_FALSE(must(metadata->find_known_build(key)));
  EXPECT_FALSE(must(metadata->find_resolved("b:1", "p")));
  EXPECT_FALSE(has("stat-index"));
  EXPECT_TRUE(has("state.db"));
}

}  // namespace
}  // namespace mybuild::space
