#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <set>

#include "data/hdf5/detail.hpp"
#include "data/hdf5/diagnosis.hpp"
#include "vae_dist/data/hdf5/hdf5.hpp"

namespace vae_dist::hdf5 {

namespace detail {

void start_library() {
    static const bool started = [] {
        // Of files that it opens by itself too, as those of a virtual dataset: none can be open with and
        // without locks (see file_access). What the user has set stays.
        ::setenv("HDF5_USE_FILE_LOCKING", "FALSE", 0);
        // Without this, the library would write once more at exit what a full disk refused before, and crash.
        H5dont_atexit();
        hbool_t threadsafe = false;
        if (H5open() < 0 || H5is_library_threadsafe(&threadsafe) < 0)
            throw_failure("cannot start the HDF5 library");
        if (!threadsafe) throw_failure("this HDF5 library is not built thread-safe, which vae_dist needs");
        return true;
    }();
    thread_local const bool silent = H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr) >= 0;
    require(started && silent, "HDF5 is started and prints nothing");
}

void fail(ErrorKind kind, const std::string& what) {
    throw Error(kind, fmt::format("{}: {}", what, last_error()));
}

Handle property_list(hid_t property_class) {
    return {check(H5Pcreate(property_class), ErrorKind::failure, "cannot make an HDF5 property list"),
            H5Pclose};
}

Handle object_properties(hid_t property_class) {
    Handle properties = property_list(property_class);
    // HDF5 moves attributes out of the object's header where there are many; a long one is then not
    // checksummed.
    constexpr unsigned kMostInHeader = 65535;
    if (H5Pset_obj_track_times(properties.get(), false) < 0 ||
        H5Pset_attr_phase_change(properties.get(), kMostInHeader, 0) < 0) {
        fail(ErrorKind::failure, "cannot set HDF5 properties");
    }
    return properties;
}

std::string locate(const File& file, const std::string& object) {
    const bool absolute = object.size() > 1 && object.front() == '/';
    return fmt::format("{}:{}", file.path(), absolute ? object.substr(1) : object);
}

void create_groups_above(const File& file, const std::string& object) {
    for (std::size_t slash = object.find('/', 1); slash != std::string::npos;
         slash = object.find('/', slash + 1)) {
        const std::string group = object.substr(0, slash);
        const NodeKind kind = file.kind(group);
        if (kind == NodeKind::group) continue;
        if (kind != NodeKind::missing) {
            throw_input_error("cannot create '{}': '{}' is not a group", locate(file, object), group);
        }
        const Handle properties = object_properties(H5P_GROUP_CREATE);
        const Handle made(H5Gcreate2(file.id(), group.c_str(), H5P_DEFAULT, properties.get(), H5P_DEFAULT),
                          H5Gclose);
        check(made.get(), ErrorKind::failure,
              fmt::format("cannot create the group '{}'", locate(file, group)));
    }
}

Handle file_access() {
    Handle access = property_list(H5P_FILE_ACCESS);
    // Locks fail on many parallel file systems. V110 is the oldest format that checksums all of its own
    // structures.
    if (H5Pset_file_locking(access.get(), false, true) < 0 ||
        H5Pset_libver_bounds(access.get(), H5F_LIBVER_V110, H5F_LIBVER_LATEST) < 0) {
        fail(ErrorKind::failure, "cannot set HDF5 properties");
    }
    return access;
}

Handle create_file(const std::string& path, const Handle& access) {
    const Handle creation = object_properties(H5P_FILE_CREATE);
    Handle file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.get(), access.get()), H5Fclose);
    check(file.get(), ErrorKind::failure, fmt::format("cannot create '{}'", path));
    return file;
}

void throw_not_opened(const std::string& path) {
    const std::string why = last_error();
    if (const std::string part = describe_part_of_set(path); !part.empty())
        throw_input_error("'{}' {} (HDF5: {})", path, part, why);
    if (why.find("truncated") != std::string::npos) {
        throw_input_error("'{}' is truncated, it was not copied or written to its end ({})", path, why);
    }
    throw_input_error("cannot open '{}' as HDF5: {}", path, why);
}

}  // namespace detail

using detail::check;
using detail::fail;
using detail::locate;

Handle& Handle::operator=(Handle&& other) noexcept {
    if (this != &other) {
        reset();
        id_ = std::exchange(other.id_, -1);
        close_ = other.close_;
    }
    return *this;
}

void Handle::reset() noexcept {
    close();
}

bool Handle::close() noexcept {
    if (id_ < 0) return true;
    return close_(std::exchange(id_, -1)) >= 0;
}

std::string last_error() {
    std::string message;
    // The first error that an upward walk meets is the innermost one.
    const auto keep_first = [](unsigned, const H5E_error2_t* error, void* to) -> herr_t {
        auto& text = *static_cast<std::string*>(to);
        if (text.empty() && error->desc != nullptr) text = error->desc;
        return 0;
    };
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, &message);
    if (message.empty()) return "unknown error";
    // Of "file write failed: time = ..., errno = 28, error message = 'No space left on device', buf = ..." a
    // person needs the beginning and the system's words.
    constexpr std::string_view kSystem = "error message = '";
    const std::size_t from = message.find(kSystem);
    const std::size_t colon = message.find(':');
    if (from == std::string::npos || colon == std::string::npos) return message;
    const std::size_t words = from + kSystem.size();
    return message.substr(0, colon + 2) + message.substr(words, message.find('\'', words) - words);
}

namespace {

// Explains in the system's words what HDF5 would only call "unable to open file".
void require_hdf5_file(const std::string& path) {
    const int descriptor =
        ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);  // no pipe's writer is waited for
    if (descriptor < 0) throw_input_error("cannot open '{}': {}", path, std::strerror(errno));
    struct stat status {};
    const bool known = fstat(descriptor, &status) == 0;
    ::close(descriptor);
    if (known && S_ISDIR(status.st_mode))
        throw_input_error("cannot open '{}': it is a folder, not an HDF5 file", path);
    if (known && !S_ISREG(status.st_mode))
        throw_input_error("cannot open '{}': it is not a regular file, so not an HDF5 file", path);
    if (known && status.st_size == 0) throw_input_error("'{}' is empty, not an HDF5 file", path);
    const htri_t is_hdf5 =
        check(H5Fis_hdf5(path.c_str()), ErrorKind::input, fmt::format("cannot read '{}'", path));
    if (is_hdf5 != 0) return;
    if (const std::string part = detail::describe_part_of_set(path); !part.empty())
        throw_input_error("'{}' {}", path, part);
    throw_input_error("'{}' is not an HDF5 file{}", path, detail::advise_import(path));
}

Handle open_file(const std::string& path, unsigned flags, const Handle& access) {
    require_hdf5_file(path);
    Handle file(H5Fopen(path.c_str(), flags, access.get()), H5Fclose);
    if (!file) detail::throw_not_opened(path);
    return file;
}

}  // namespace

File File::open(const std::string& path) {
    detail::start_library();
    return {open_file(path, H5F_ACC_RDONLY, detail::file_access()), path};
}

File File::create(const std::string& path) {
    detail::start_library();
    return {detail::create_file(path, detail::file_access()), path};
}

File File::open_for_writing(const std::string& path) {
    detail::start_library();
    return {open_file(path, H5F_ACC_RDWR, detail::file_access()), path};
}

NodeKind File::kind(const std::string& object) const {
    detail::start_library();
    const std::string doing = fmt::format("cannot look up '{}'", locate(*this, object));
    const std::string absolute = object.starts_with('/') ? object : "/" + object;
    // Link by link, since HDF5 calls it an error to ask for a path through something that is not a group.
    for (std::size_t end = 0; end < absolute.size();) {
        end = std::min(absolute.find('/', end + 1), absolute.size());
        const std::string path = absolute.substr(0, end);
        if (path != "/") {
            if (check(H5Lexists(id(), path.c_str(), H5P_DEFAULT), ErrorKind::input, doing) == 0)
                return NodeKind::missing;
            const htri_t leads_somewhere = H5Oexists_by_name(id(), path.c_str(), H5P_DEFAULT);
            // An external link to a file that is missing is an error to HDF5.
            if (leads_somewhere <= 0) return NodeKind::missing;
        }
        H5O_info_t found;
        check(H5Oget_info_by_name2(id(), path.c_str(), &found, H5O_INFO_BASIC, H5P_DEFAULT), ErrorKind::input,
              doing);
        const NodeKind kind = found.type == H5O_TYPE_GROUP     ? NodeKind::group
                              : found.type == H5O_TYPE_DATASET ? NodeKind::dataset
                                                               : NodeKind::other;
        if (end == absolute.size()) return kind;
        if (kind != NodeKind::group) return NodeKind::missing;
    }
    return NodeKind::missing;
}

std::vector<std::string> File::members(const std::string& group) const {
    detail::start_library();
    std::vector<std::string> names;
    const auto keep = [](hid_t, const char* name, const H5L_info_t*, void* to) -> herr_t {
        static_cast<std::vector<std::string>*>(to)->emplace_back(name);
        return 0;
    };
    check(H5Literate_by_name(id(), group.c_str(), H5_INDEX_NAME, H5_ITER_INC, nullptr, keep, &names,
                             H5P_DEFAULT),
          ErrorKind::input, fmt::format("cannot list '{}'", locate(*this, group)));
    return names;
}

namespace {

// The (file, address) of the groups on the way down: links may lead back up.
using PlacesAbove = std::set<std::pair<unsigned long, haddr_t>>;

// What is of the kind `wanted`; missing is a link that leads nowhere.
void collect(const File& file, const std::string& group, NodeKind wanted, PlacesAbove& above,
             std::vector<std::string>& found) {
    H5O_info_t here;
    check(H5Oget_info_by_name2(file.id(), group.c_str(), &here, H5O_INFO_BASIC, H5P_DEFAULT),
          ErrorKind::input, fmt::format("cannot list '{}'", locate(file, group)));
    if (!above.insert({here.fileno, here.addr}).second) return;
    for (const std::string& name : file.members(group)) {
        const std::string path = group == "/" ? "/" + name : group + "/" + name;
        const NodeKind kind = file.kind(path);
        if (kind == wanted) found.push_back(path);
        if (kind == NodeKind::group) collect(file, path, wanted, above, found);
    }
    above.erase({here.fileno, here.addr});
}

}  // namespace

std::vector<std::string> File::datasets(const std::string& group) const {
    std::vector<std::string> found;
    PlacesAbove above;
    if (kind(group) == NodeKind::group) {
        collect(*this, group.starts_with('/') ? group : "/" + group, NodeKind::dataset, above, found);
    }
    return found;
}

std::vector<std::string> File::dead_links() const {
    std::vector<std::string> found;
    PlacesAbove above;
    collect(*this, "/", NodeKind::missing, above, found);
    for (std::string& path : found) {
        const auto why = detail::describe_dead_link(*this, path);
        path = fmt::format("{} {}", path.substr(1), why.value_or("leads nowhere"));
    }
    return found;
}

void File::remove(const std::string& object) {
    detail::start_library();
    check(H5Ldelete(id(), object.c_str(), H5P_DEFAULT), ErrorKind::failure,
          fmt::format("cannot remove '{}'", locate(*this, object)));
}

void File::close() {
    detail::start_library();
    if (!handle_) return;
    const std::string doing = fmt::format("cannot write '{}'", path_);
    require(H5Fget_obj_count(id(), H5F_OBJ_ALL | H5F_OBJ_LOCAL) == 1,
            "no object of a file is open when it is closed");
    check(H5Fflush(id(), H5F_SCOPE_LOCAL), ErrorKind::failure, doing);
    if (!handle_.close()) fail(ErrorKind::failure, doing);
}

}  // namespace vae_dist::hdf5
