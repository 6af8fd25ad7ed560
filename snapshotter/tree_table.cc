// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/tree_table.h"

#include "snapshotter/tree_table_sqlite.h"

#include <array>

namespace mybuild::snapshotter {

namespace {

constexpr const char* kPutTree =
    "INSERT OR REPLACE INTO trees(name, diff_id, size, created, synced, seal, disk, witness) "
    "VALUES(?,?,?,?,?,?,?,?)";
constexpr const char* kPutLayer = "INSERT OR IGNORE INTO layers VALUES(?,?,?,?)";
constexpr const char* kOwnLayer =
    "UPDATE layers SET changes = ? WHERE diff_id = ? AND changes IS NULL";
constexpr const char* kFind =
    "SELECT name, diff_id, size, created, synced, seal, disk, witness FROM trees WHERE name = ?";
constexpr const char* kAll =
    "SELECT name, diff_id, size, created, synced, seal, disk, witness FROM trees ORDER BY id";
constexpr const char* kSetSeal = "UPDATE trees SET seal = ?, synced = ? WHERE name = ?";
constexpr const char* kSynced = "SELECT name FROM trees WHERE synced = 1";
constexpr const char* kUnsynced = "SELECT id, name, created FROM trees WHERE synced = 0";
constexpr const char* kMarkSynced = "UPDATE trees SET synced = 1 WHERE id = ?";
constexpr const char* kDiffId = "SELECT diff_id FROM trees WHERE name = ?";
constexpr const char* kRemove = "DELETE FROM trees WHERE name = ?";
// What needs a tree of the layer goes with the last one.
constexpr std::array kRemoveOfLayer = {
    "DELETE FROM layers WHERE diff_id = ?1 AND NOT EXISTS(SELECT 1 FROM trees WHERE diff_id = ?1)",
    "DELETE FROM records WHERE layer = ?1 AND NOT EXISTS(SELECT 1 FROM trees WHERE diff_id = ?1)",
    "DELETE FROM git_trees WHERE diff_id = ?1 AND NOT EXISTS(SELECT 1 FROM trees WHERE diff_id = "
    "?1)",
};

Result<TreeRow> read_row(const Query& query) {
  TreeRow row;
  row.name = query.text(0);
  row.diff_id = TRY(query.digest(1));
  row.size = static_cast<std::uint64_t>(query.integer(2));
  row.created = query.integer(3);
  row.synced = query.integer(4) != 0;
  row.seal = TRY(query.digest(5));
  row.disk = static_cast<std::uint64_t>(query.integer(6));
  row.witness = TRY(query.optional_digest(7));
  return row;
}

class SqliteTreeTable final : public TreeTable {
 public:
  explicit SqliteTreeTable(Guarded<SqliteConnection>& db) : db_(db) {}

  Status put(std::span<const SealedTree> trees) override {
    const auto db = db_.lock();
    return trees.empty() ? Status() : db->transaction([&]() -> Status {
      for (const auto& [tree, layer] : trees) {
        Query put = TRY(db->query(kPutTree));
        put.bind(tree.name).bind(tree.diff_id).bind(tree.size).bind(tree.created);
        put.bind(std::int64_t{tree.synced}).bind(tree.seal).bind(tree.disk);
        TRY(put.bind(tree.witness).run());
        TRY(put_layer_row(*db, layer));
      }
      return {};
    });
  }

  Status put_layers(std::span<const LayerRow> layers) override {
    const auto db = db_.lock();
    return db->transaction([&]() -> Status {
      for (const LayerRow& layer : layers) {
        TRY(put_layer_row(*db, layer));
      }
      return {};
    });
  }

  Result<std::optional<TreeRow>> find(const std::string& name) override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kFind));
    query.bind(name);
    if (!TRY(query.next())) {
      return std::optional<TreeRow>();
    }
    return std::optional(TRY(read_row(query)));
  }

  Result<std::vector<TreeRow>> all() override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kAll));
    std::vector<TreeRow> rows;
    while (TRY(query.next())) {
      rows.push_back(TRY(read_row(query)));
    }
    return rows;
  }

  Status set_seal(const std::string& name, const Digest& seal, bool synced) override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kSetSeal));
    return query.bind(seal).bind(std::int64_t{synced}).bind(name).run();
  }

  Result<std::set<std::string>> synced_names() override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kSynced));
    std::set<std::string> names;
    while (TRY(query.next())) {
      names.insert(query.text(0));
    }
    return names;
  }

  Result<std::vector<Unsynced>> unsynced() override {
    const auto db = db_.lock();
    Query query = TRY(db->query(kUnsynced));
    std::vector<Unsynced> rows;
    while (TRY(query.next())) {
      rows.push_back({query.integer(0), query.text(1), query.integer(2)});
    }
    return rows;
  }

  Status mark_synced(std::span<const std::int64_t> ids) override {
    const auto db = db_.lock();
    return db->transaction([&]() -> Status {
      for (const std::int64_t id : ids) {
        Query query = TRY(db->query(kMarkSynced));
        TRY(query.bind(id).run());
      }
      return {};
    });
  }

  Status remove(std::span<const std::string> names) override {
    const auto db = db_.lock();
    return db->transaction([&]() -> Status {
      for (const std::string& name : names) {
        TRY(remove_one(*db, name));
      }
      return {};
    });
  }

 private:
  static Status put_layer_row(SqliteConnection& db, const LayerRow& layer) {
    Query known = TRY(db.query(kPutLayer));
    TRY(known.bind(layer.diff_id).bind(layer.changes).bind(layer.size).bind(layer.created).run());
    if (!layer.changes) {
      return {};
    }
    Query own = TRY(db.query(kOwnLayer));
    return own.bind(layer.changes).bind(layer.diff_id).run();
  }

  static Status remove_one(SqliteConnection& db, const std::string& name) {
    Digest layer;
    {
      Query find = TRY(db.query(kDiffId));
      find.bind(name);
      if (!TRY(find.next())) {
        return {};
      }
      layer = TRY(find.digest(0));
    }
    Query remove = TRY(db.query(kRemove));
    TRY(remove.bind(name).run());
    for (const char* sql : kRemoveOfLayer) {
      Query query = TRY(db.query(sql));
      TRY(query.bind(layer).run());
    }
    return {};
  }

  Guarded<SqliteConnection>& db_;
};

}  // namespace

std::unique_ptr<TreeTable> make_tree_table(Guarded<SqliteConnection>& db) {
  return std::make_unique<SqliteTreeTable>(db);
}

}  // namespace mybuild::snapshotter
